// Package table is the layout of the reference data: how it is written and how it is
// read. What it reads are strings that lie in the program, so reading copies nothing
// and one record is found without touching the others.
//
// Numbers are unsigned varints, strings are their length and their bytes. A table is
//
//	the number of its records, times four, plus the width of an index entry: a varint
//	where each record ends, counted from the first record: as many bytes as the width
//	says, little endian
//	the records
//
// and a record may hold tables. In a keyed table every record begins with a string,
// its key; keys are in the order of [Compare], so they can be searched, and no two
// are equal in it.
//
// Readers trust nothing: damaged data is an error that wraps [ErrDamaged].
package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrDamaged says that data is not what the functions of this package write.
var ErrDamaged = errors.New("damaged reference data")

// Compare orders keys without regard to the case of ASCII letters.
func Compare(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if x, y := Lower(a[i]), Lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// Lower returns the lower case of an ASCII letter, and every other byte as it is.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// A Reader takes data apart from its beginning. After an error it returns zero values;
// Err returns the first error.
type Reader struct {
	data string
	err  error
}

// NewReader returns a reader of data.
func NewReader(data string) Reader { return Reader{data: data} }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// End returns the first error, or one if something is left to read.
func (r *Reader) End() error {
	if r.err == nil && r.data != "" {
		r.fail("bytes after the end")
	}
	return r.err
}

func (r *Reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrDamaged, what)
	}
	r.data = ""
}

// Number reads a number up to the largest int32.
func (r *Reader) Number() int {
	var n uint64
	for i := 0; i < len(r.data) && i < 5; i++ {
		c := r.data[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if n > math.MaxInt32 {
				break
			}
			r.data = r.data[i+1:]
			return int(n)
		}
	}
	r.fail("number")
	return 0
}

// Count reads the number of things that follow. It is an error if there are more than
// most, or more than bytes, so damaged data cannot ask for much memory.
func (r *Reader) Count(most int) int {
	n := r.Number()
	if n > most || n > len(r.data) {
		r.fail("count")
		return 0
	}
	return n
}

// Text reads a string.
func (r *Reader) Text() string {
	n := r.Number()
	return r.take(n, "string")
}

// Rest reads what is left.
func (r *Reader) Rest() string { return r.take(len(r.data), "") }

// Literal reads what must be exactly s.
func (r *Reader) Literal(s string) {
	if got := r.take(len(s), "heading"); r.err == nil && got != s {
		r.fail("heading")
	}
}

// Table reads a table.
func (r *Reader) Table() Table {
	n := r.Number()
	t := Table{width: n & 3, n: n >> 2}
	if t.n == 0 {
		return Table{}
	}
	if t.width == 0 || t.n > len(r.data)/t.width {
		r.fail("table size")
		return Table{}
	}
	t.ends = r.take(t.n*t.width, "table index")
	t.records = r.take(t.end(t.n-1), "table")
	if r.err != nil {
		return Table{}
	}
	return t
}

func (r *Reader) take(n int, what string) string {
	if n < 0 || n > len(r.data) {
		r.fail(what)
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n:]
	return s
}

// A Table is a list of records. The zero Table has none.
type Table struct {
	n, width      int
	ends, records string
}

// Len returns the number of records.
func (t Table) Len() int { return t.n }

func (t Table) end(i int) int {
	end := 0
	for k := range t.width {
		end |= int(t.ends[i*t.width+k]) << (8 * k)
	}
	return end
}

// At returns record i.
func (t Table) At(i int) (Reader, error) {
	if i < 0 || i >= t.Len() {
		return Reader{}, fmt.Errorf("%w: no record %d", ErrDamaged, i)
	}
	start, end := 0, t.end(i)
	if i > 0 {
		start = t.end(i - 1)
	}
	if start > end || end > len(t.records) {
		return Reader{}, fmt.Errorf("%w: index at %d", ErrDamaged, i)
	}
	return NewReader(t.records[start:end]), nil
}

// Key returns the key of record i of a keyed table, and the record after it.
func (t Table) Key(i int) (string, Reader, error) {
	r, err := t.At(i)
	if err != nil {
		return "", Reader{}, err
	}
	key := r.Text()
	return key, r, r.err
}

// Find returns the record of a keyed table whose key equals one without regard to
// case: the key as it is written there, and the record after its key.
func (t Table) Find(key string) (found string, record Reader, ok bool, err error) {
	low, high := 0, t.Len()
	for low < high {
		middle := int(uint(low+high) >> 1)
		k, r, err := t.Key(middle)
		if err != nil {
			return "", Reader{}, false, err
		}
		switch c := Compare(k, key); {
		case c == 0:
			return k, r, true, nil
		case c < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return "", Reader{}, false, nil
}

// AppendNumber writes a number. It must not be negative.
func AppendNumber(data []byte, n int) []byte { return binary.AppendUvarint(data, uint64(n)) }

// AppendString writes a string.
func AppendString(data []byte, s string) []byte { return append(AppendNumber(data, len(s)), s...) }

// Append writes a table. It fails if the records are too large for one.
func Append(data []byte, records [][]byte) ([]byte, error) {
	size := 0
	for _, r := range records {
		size += len(r)
	}
	width := 1
	for size >= 1<<(8*width) {
		width++
	}
	if width > 3 {
		return nil, fmt.Errorf("table of %d records: %d bytes are too many", len(records), size)
	}
	data = AppendNumber(data, len(records)<<2|width)
	end := 0
	for _, r := range records {
		end += len(r)
		for k := range width {
			data = append(data, byte(end>>(8*k)))
		}
	}
	for _, r := range records {
		data = append(data, r...)
	}
	return data, nil
}

// A Keyed is a record with its key.
type Keyed struct {
	Key    string
	Record []byte
}

// AppendKeyed writes a keyed table, its records in the order of their keys. It fails
// if two keys are equal.
func AppendKeyed(data []byte, list []Keyed) ([]byte, error) {
	list = slices.SortedStableFunc(slices.Values(list), func(a, b Keyed) int { return Compare(a.Key, b.Key) })
	records := make([][]byte, len(list))
	for i, k := range list {
		if i > 0 && Compare(list[i-1].Key, k.Key) == 0 {
			return nil, fmt.Errorf("%q is there twice", k.Key)
		}
		records[i] = append(AppendString(nil, k.Key), k.Record...)
	}
	return Append(data, records)
}
