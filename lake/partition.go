package lake

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Date is a UTC calendar day, in days since 1970-01-01.
type Date int32

const microsPerDay = 24 * 60 * 60 * 1_000_000

// DateOf is the UTC day of an instant.
func DateOf(m Micros) Date {
	d := m / microsPerDay
	if m%microsPerDay < 0 {
		d--
	}
	return Date(d)
}

// Start is the day's first instant.
func (d Date) Start() Micros { return Micros(d) * microsPerDay }

func (d Date) String() string { return d.Start().Time().Format(time.DateOnly) }

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, time.UTC)
	if err != nil {
		return 0, fmt.Errorf("date %q: want YYYY-MM-DD", s)
	}
	return DateOf(MicrosOf(t)), nil
}

// Partition is where an event lies in the Hive layout.
type Partition struct {
	Date    Date
	Service string
	Status  int32
}

// PartitionOf is the event's partition.
func PartitionOf(e *Event) Partition {
	return Partition{Date: DateOf(e.Timestamp), Service: e.ServiceName, Status: e.StatusCode}
}

// Compare orders partitions by date, service and status: the order of Version.Files.
func (p Partition) Compare(q Partition) int {
	return cmp.Or(cmp.Compare(p.Date, q.Date), strings.Compare(p.Service, q.Service), cmp.Compare(p.Status, q.Status))
}

// Dir is the partition's folder, relative to Layout.Partitioned: event_date=2026-11-21/service_name=checkout/status_code=500.
// The contract's rule for service names makes escaping unnecessary.
func (p Partition) Dir() string {
	return "event_date=" + p.Date.String() + "/service_name=" + p.Service + "/status_code=" + strconv.Itoa(int(p.Status))
}

// ParsePartition reads what Dir writes.
func ParsePartition(dir string) (Partition, error) {
	parts := strings.Split(dir, "/")
	bad := fmt.Errorf("partition %q: want event_date=YYYY-MM-DD/service_name=S/status_code=N", dir)
	if len(parts) != 3 {
		return Partition{}, bad
	}
	day, ok1 := strings.CutPrefix(parts[0], "event_date=")
	service, ok2 := strings.CutPrefix(parts[1], "service_name=")
	code, ok3 := strings.CutPrefix(parts[2], "status_code=")
	date, err1 := ParseDate(day)
	status, err2 := strconv.ParseInt(code, 10, 32)
	if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || service == "" {
		return Partition{}, bad
	}
	return Partition{Date: date, Service: service, Status: int32(status)}, nil
}
