package condition_test

import (
	"testing"
	"time"

	"github.com/tfguard/tfguard/engine/condition"
)

// Rule B11; AWS page "IAM JSON policy elements: Condition operators".
func TestParseDate(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
		{"2026-01-02T03:04:05+02:30", "2026-01-02T00:34:05Z"},
		{"2026-01-02T03:04-01:00", "2026-01-02T04:04:00Z"},
		{"2026-01-02T03:04Z", "2026-01-02T03:04:00Z"},
		{"2026-01-02T03:04:05.25Z", "2026-01-02T03:04:05.25Z"},
		{"2026-01-02", "2026-01-02T00:00:00Z"},
		{"2026-01", "2026-01-01T00:00:00Z"},
		{"2026-01-02T03:04:05", "2026-01-02T03:04:05Z"},
		{"2026-01-02T03:04:05.5", "2026-01-02T03:04:05.5Z"},
		{"2026-01-02T03:04", "2026-01-02T03:04:00Z"},
		{"0", "1970-01-01T00:00:00Z"},
		{"2026", "1970-01-01T00:33:46Z"},
		{"1767225600", "2026-01-01T00:00:00Z"},
		{"1767225600.5", "2026-01-01T00:00:00.5Z"},
		{"1767225600.05", "2026-01-01T00:00:00.05Z"},
		{"1767225600.000000001", "2026-01-01T00:00:00.000000001Z"},
		{"1767225600.0000000019", "2026-01-01T00:00:00.000000001Z"},
		{"0010", "1970-01-01T00:00:10Z"}, // decimal, not octal
		{"01767225600", "2026-01-01T00:00:00Z"},
		{"2026-1-2", ""}, {"2026-13-01", ""}, {"2026-02-30", ""}, {"2026-01-02T24:00:00Z", ""}, {"2026-01-02T3:04:05Z", ""},
		{"2026-01-02t03:04:05z", ""}, {"2026-01-02 03:04:05Z", ""}, {"2026-01-02T03:04:05,5Z", ""}, {"2026-01-02Z", ""},
		{"2026-01-02T03:04:05+0200", ""}, {"-5", ""}, {"1e9", ""}, {"0x10", ""}, {"1.", ""}, {"", ""}, {"now", ""}, {"999999999999999999999", ""},
	}
	for _, tc := range tests {
		got, err := condition.ParseDate(tc.text)
		if tc.want == "" {
			if err == nil {
				t.Errorf("%q: got %v, want an error", tc.text, got)
			}
			continue
		}
		if s := got.Format(time.RFC3339Nano); err != nil || s != tc.want {
			t.Errorf("%q: got %s, %v; want %s", tc.text, s, err, tc.want)
		}
	}
}

// Rule B12.
func TestParseNumber(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "+1.50": "3/2", "007": "7", "1e3": "1000", "1.5E-1": "3/20", "12345678901234567890.5": "24691357802469135781/2",
		"": "", "1.": "", ".5": "", "1,5": "", "0x10": "", "1_000": "", "1/2": "", "NaN": "", "Inf": "", " 1": "", "10abc": "", "1e99999": "",
	} {
		got, err := condition.ParseNumber(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q: got %v, want an error", text, got)
		case want != "" && (err != nil || got.RatString() != want):
			t.Errorf("%q: got %v, %v; want %s", text, got, err, want)
		}
	}
}

// Rule B10.
func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.7": "203.0.113.7/32", "203.0.113.7/24": "203.0.113.0/24", "0.0.0.0/0": "0.0.0.0/0", "::/0": "::/0",
		"2001:DB8::1": "2001:db8::1/128", "2001:db8::1/32": "2001:db8::/32", "::ffff:1.2.3.4": "1.2.3.4/32", "::ffff:1.2.3.4/112": "1.2.0.0/16",
		"": "", "1.2.3": "", "1.2.3.4/33": "", "1.2.3.4/": "", "1.2.3.4/-1": "", "1.2.3.*": "", "fe80::1%eth0": "", "fe80::%eth0/10": "", "010.0.0.1": "",
	} {
		got, err := condition.ParsePrefix(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q: got %v, want an error", text, got)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: got %v, %v; want %s", text, got, err, want)
		}
	}
}
