package table_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/awsref/internal/table"
)

func TestReaderReadsWhatIsWritten(t *testing.T) {
	data := []byte("heading")
	numbers := []int{0, 1, 127, 128, 300, 1<<31 - 1}
	for _, n := range numbers {
		data = table.AppendNumber(data, n)
	}
	data = table.AppendString(data, "")
	data = table.AppendString(data, strings.Repeat("long", 100))
	data = append(data, "rest"...)

	r := table.NewReader(string(data))
	r.Literal("heading")
	for _, want := range numbers {
		if got := r.Number(); got != want {
			t.Errorf("Number = %d, want %d", got, want)
		}
	}
	if got := r.Text(); got != "" {
		t.Errorf("Text = %q", got)
	}
	if got := r.Text(); got != strings.Repeat("long", 100) {
		t.Errorf("Text = %q", got)
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
	if got := r.Rest(); got != "rest" {
		t.Errorf("Rest = %q", got)
	}
	if err := r.End(); err != nil {
		t.Error(err)
	}
}

func TestTable(t *testing.T) {
	// Wide enough for indexes of one, two and three bytes.
	for _, size := range []int{1, 100, 70000} {
		var list []table.Keyed
		for _, key := range []string{"b", "D", "a", "C"} {
			list = append(list, table.Keyed{Key: key, Record: []byte(strings.Repeat(key, size))})
		}
		data, err := table.AppendKeyed([]byte("before"), list)
		if err != nil {
			t.Fatal(err)
		}
		r := table.NewReader(string(data))
		r.Literal("before")
		got := r.Table()
		if err := r.End(); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for i := range got.Len() {
			key, _, err := got.Key(i)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
		if want := []string{"a", "b", "C", "D"}; !slices.Equal(keys, want) {
			t.Errorf("keys are %q, want %q", keys, want)
		}
		for _, key := range []string{"a", "A", "d"} {
			found, record, ok, err := got.Find(key)
			if err != nil || !ok || !strings.EqualFold(found, key) || record.Rest() != strings.Repeat(found, size) {
				t.Errorf("Find(%q) = %q, ok %v, error %v", key, found, ok, err)
			}
		}
		for _, key := range []string{"", "aa", "e", "1"} {
			if found, _, ok, err := got.Find(key); ok || err != nil {
				t.Errorf("Find(%q) = %q, ok %v, error %v", key, found, ok, err)
			}
		}
		if _, err := got.At(got.Len()); !errors.Is(err, table.ErrDamaged) {
			t.Errorf("At beyond the end: %v", err)
		}
		if _, err := got.At(-1); !errors.Is(err, table.ErrDamaged) {
			t.Errorf("At before the beginning: %v", err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := table.AppendKeyed(nil, []table.Keyed{{Key: "a"}, {Key: "b"}, {Key: "A"}}); err == nil {
		t.Error("two equal keys make a table")
	}
	if _, err := table.Append(nil, [][]byte{make([]byte, 1<<24)}); err == nil {
		t.Error("16 MB make a table")
	}
}

func TestDamage(t *testing.T) {
	for _, c := range []struct {
		name, data string
		read       func(r *table.Reader)
	}{
		{"no number", "", func(r *table.Reader) { r.Number() }},
		{"number without end", "\xff\xff", func(r *table.Reader) { r.Number() }},
		{"number too large", "\xff\xff\xff\xff\x0f", func(r *table.Reader) { r.Number() }},
		{"number too long", "\xff\xff\xff\xff\xff\x01", func(r *table.Reader) { r.Number() }},
		{"string longer than the data", "\x05abcd", func(r *table.Reader) { _ = r.Text() }},
		{"other heading", "heading", func(r *table.Reader) { r.Literal("Heading") }},
		{"count above the bound", "\x03abcd", func(r *table.Reader) { r.Count(2) }},
		{"count above the data", "\x03ab", func(r *table.Reader) { r.Count(9) }},
		{"index longer than the data", "\x09\x01", func(r *table.Reader) { r.Table() }},
		{"index of no width", "\x08\x01\x01", func(r *table.Reader) { r.Table() }},
		{"table longer than the data", "\x05\x03ab", func(r *table.Reader) { r.Table() }},
	} {
		r := table.NewReader(c.data)
		c.read(&r)
		if err := r.Err(); !errors.Is(err, table.ErrDamaged) {
			t.Errorf("%s: error is %v", c.name, err)
		}
		if got := r.Rest(); got != "" {
			t.Errorf("%s: goes on with %q after the error", c.name, got)
		}
	}
	// The ends of two records, the first after the second.
	r := table.NewReader("\x09\x02\x01ab")
	list := r.Table()
	for i := range list.Len() {
		if _, err := list.At(i); !errors.Is(err, table.ErrDamaged) {
			t.Errorf("At(%d) with the index in disorder: %v", i, err)
		}
	}
	if _, _, _, err := list.Find("a"); !errors.Is(err, table.ErrDamaged) {
		t.Errorf("Find with the index in disorder: %v", err)
	}
}
