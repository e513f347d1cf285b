package planfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// maxDepth bounds how deep values are nested: a damaged file may have no end of it.
const maxDepth = 512

var errDepth = errors.New("a value is nested too deeply")

// decode decodes one value. known is the value as JSON has it, without what is
// unknown; unknown has true where something is, and is nil if nothing is.
func decode(text []byte) (known, unknown any, err error) {
	d := msgpack.NewDecoder(bytes.NewReader(text))
	known, unknown, err = value(d, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("a value is malformed (%w)", err)
	}
	return known, unknown, nil
}

func value(d *msgpack.Decoder, depth int) (known, unknown any, err error) {
	if depth > maxDepth {
		return nil, nil, errDepth
	}
	code, err := d.PeekCode()
	if err != nil {
		return nil, nil, err
	}
	switch {
	case msgpcode.IsExt(code):
		// Every extension type is an unknown value; some say more about it.
		_, n, err := d.DecodeExtHeader()
		if err == nil {
			_, err = io.CopyN(io.Discard, d.Buffered(), int64(n))
		}
		return nil, true, err
	case code == msgpcode.Nil:
		return nil, nil, d.DecodeNil()
	case code == msgpcode.True || code == msgpcode.False:
		known, err = d.DecodeBool()
	case msgpcode.IsString(code):
		known, err = d.DecodeString()
	case msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32:
		return object(d, depth)
	case msgpcode.IsFixedArray(code) || code == msgpcode.Array16 || code == msgpcode.Array32:
		return list(d, depth)
	default:
		known, err = d.DecodeFloat64()
	}
	return known, nil, err
}

func object(d *msgpack.Decoder, depth int) (known, unknown any, err error) {
	n, err := d.DecodeMapLen()
	if err != nil {
		return nil, nil, err
	}
	values, late := map[string]any{}, map[string]any{}
	for range n {
		key, err := d.DecodeString()
		if err != nil {
			return nil, nil, err
		}
		v, u, err := value(d, depth+1)
		if err != nil {
			return nil, nil, err
		}
		if u != nil {
			late[key] = u
		}
		if u != true {
			values[key] = v
		}
	}
	if len(late) == 0 {
		return values, nil, nil
	}
	return values, late, nil
}

func list(d *msgpack.Decoder, depth int) (known, unknown any, err error) {
	n, err := d.DecodeArrayLen()
	if err != nil {
		return nil, nil, err
	}
	if code, err := d.PeekCode(); n == 2 && err == nil && msgpcode.IsBin(code) {
		// A value of a dynamic type: the type, in bytes, and the value.
		if _, err := d.DecodeBytes(); err != nil {
			return nil, nil, err
		}
		return value(d, depth+1)
	}
	values, late := []any{}, []any{}
	some := false
	for range n {
		v, u, err := value(d, depth+1)
		if err != nil {
			return nil, nil, err
		}
		values, late = append(values, v), append(late, u)
		some = some || u != nil
	}
	if !some {
		return values, nil, nil
	}
	return values, late, nil
}
