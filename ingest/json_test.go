package ingest

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSONShowsWhatATerminalWouldObey(t *testing.T) {
	text := "a<b>&é日\x1b[31m\x7f\u009b2J\u202ereversed\u200b\ufeff\u2028\n\"\\"
	got, err := appendJSON([]byte("x"), map[string]string{"k": text})
	if err != nil {
		t.Fatal(err)
	}
	want := `x{"k":"a<b>&é日\u001b[31m\u007f\u009b2J\u202ereversed\u200b\ufeff\u2028\n\"\\"}` + "\n"
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var back map[string]string
	if err := json.Unmarshal(got[1:], &back); err != nil || back["k"] != text {
		t.Errorf("reads back as %q, %v", back, err)
	}
	if got, err := appendJSON(nil, strings.Repeat("\xff", 3)); err != nil || string(got) != `"\ufffd\ufffd\ufffd"`+"\n" {
		t.Errorf("bytes that are no UTF-8: %q %v", got, err)
	}
}
