package duck

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// toResult turns the driver's value into one of the types that sql.Result promises.
func toResult(v driver.Value, typeName string) any {
	if typeName == "JSON" && v != nil {
		if _, plain := v.(string); !plain { // the driver has parsed it
			if text, err := json.Marshal(v); err == nil {
				return string(text)
			}
		}
	}
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case float32:
		return float64(v)
	case *big.Int: // sums of integers are HUGEINT: nearly all of them fit
		if v.IsInt64() {
			return v.Int64()
		}
	case uint64:
		if v <= 1<<63-1 {
			return int64(v)
		}
	case time.Time:
		if strings.HasPrefix(typeName, "TIME") && !strings.HasPrefix(typeName, "TIMESTAMP") {
			return v.Format("15:04:05.999999")
		}
		return v.UTC()
	}
	return valueText(v, typeName)
}

// valueText is a value as text, nested ones the way DuckDB prints them.
func valueText(v any, typeName string) string {
	var b strings.Builder
	appendValue(&b, v, typeName, false)
	return b.String()
}

func appendValue(b *strings.Builder, v any, typeName string, nested bool) {
	switch v := v.(type) {
	case nil:
		b.WriteString("NULL")
	case string:
		if nested && strings.ContainsAny(v, ",[]{}'\"=: ") {
			b.WriteString("'" + strings.ReplaceAll(v, "'", `\'`) + "'")
			return
		}
		b.WriteString(v)
	case []byte:
		if typeName == "UUID" && len(v) == 16 {
			text := hex.EncodeToString(v)
			b.WriteString(text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:])
			return
		}
		b.WriteString(`\x` + hex.EncodeToString(v))
	case duckdb.UUID:
		b.WriteString(v.String())
	case time.Time:
		b.WriteString(timeText(v, nested))
	case duckdb.Decimal:
		b.WriteString(decimalText(v))
	case duckdb.Interval:
		b.WriteString(intervalText(v))
	case []any:
		appendList(b, v)
	case map[string]any:
		appendStruct(b, v)
	case duckdb.OrderedMap:
		appendMap(b, v)
	case duckdb.Union:
		appendValue(b, v.Value, "", nested)
	default:
		fmt.Fprint(b, v)
	}
}

func timeText(t time.Time, nested bool) string {
	t = t.UTC()
	if nested && t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0 {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02 15:04:05.999999")
}

// decimalText keeps the digits behind the point that the type has: 1.50 stays 1.50.
func decimalText(d duckdb.Decimal) string {
	if d.Value == nil {
		return "0"
	}
	digits := new(big.Int).Abs(d.Value).String()
	if scale := int(d.Scale); scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if d.Value.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

func intervalText(i duckdb.Interval) string {
	var parts []string
	add := func(n int64, unit string) {
		if n == 1 || n == -1 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+unit)
		} else if n != 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+unit+"s")
		}
	}
	add(int64(i.Months/12), "year")
	add(int64(i.Months%12), "month")
	add(int64(i.Days), "day")
	if i.Micros != 0 || len(parts) == 0 {
		parts = append(parts, clockText(i.Micros))
	}
	return strings.Join(parts, " ")
}

func clockText(micros int64) string {
	sign := ""
	if micros < 0 {
		sign, micros = "-", -micros
	}
	seconds := micros / 1_000_000
	text := fmt.Sprintf("%s%02d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
	if rest := micros % 1_000_000; rest != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%06d", rest), "0")
	}
	return text
}

func appendList(b *strings.Builder, list []any) {
	b.WriteByte('[')
	for i, item := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		appendValue(b, item, "", true)
	}
	b.WriteByte(']')
}

func appendStruct(b *strings.Builder, fields map[string]any) {
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("'" + name + "': ")
		appendValue(b, fields[name], "", true)
	}
	b.WriteByte('}')
}

func appendMap(b *strings.Builder, m duckdb.OrderedMap) {
	b.WriteByte('{')
	values := m.Values()
	for i, key := range m.Keys() {
		if i > 0 {
			b.WriteString(", ")
		}
		appendValue(b, key, "", true)
		b.WriteByte('=')
		appendValue(b, values[i], "", true)
	}
	b.WriteByte('}')
}
