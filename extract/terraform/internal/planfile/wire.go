package planfile

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of fields, by message.
const (
	planVersion     = 1
	planVariables   = 2
	planChanges     = 3
	planTargets     = 5
	planTerraform   = 14
	planErrored     = 20
	planTimestamp   = 21
	planApplyable   = 25
	planComplete    = 26
	planDeferred    = 27
	deferredChange  = 2
	changeDeposed   = 7
	changeChange    = 9
	changeReason    = 12
	changeAddress   = 13
	changePrevious  = 14
	detailAction    = 1
	detailValues    = 2
	detailBefore    = 3 // paths of sensitive values
	detailAfter     = 4
	entryKey        = 1 // of a map
	entryValue      = 2
	valueMsgpack    = 1
	pathSteps       = 1
	stepAttribute   = 1
	stepElement     = 2
	readForCheck    = 13
	actionNoOp      = 0
	actionRead      = 2
	actionDelete    = 5
	actionForget    = 8
	actionCreateNew = 1
)

// actions are the kinds of change as JSON plans name them.
var actions = map[uint64][]string{
	actionNoOp:      {"no-op"},
	actionCreateNew: {"create"},
	actionRead:      {"read"},
	3:               {"update"},
	actionDelete:    {"delete"},
	6:               {"delete", "create"},
	7:               {"create", "delete"},
	actionForget:    {"forget"},
	9:               {"create", "forget"},
}

var errWire = errors.New("the protocol buffer is cut off or malformed")

// fields calls f for every field of a message: with number for one that holds a
// number, else with the bytes of the field.
func fields(msg []byte, f func(num int, number uint64, bytes []byte) error) error {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return errWire
		}
		msg = msg[n:]
		var number uint64
		var content []byte
		switch typ {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(msg)
		case protowire.BytesType:
			content, n = protowire.ConsumeBytes(msg)
		default:
			n = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if n < 0 {
			return errWire
		}
		msg = msg[n:]
		if err := f(int(num), number, content); err != nil {
			return err
		}
	}
	return nil
}

// readPlan reads a whole plan. The version is looked for first: what a newer format
// means by its fields is not known.
func readPlan(ctx context.Context, text []byte, v *Visitor) (*Plan, error) {
	p := &Plan{Variables: map[string]any{}}
	var format uint64
	err := fields(text, func(num int, number uint64, content []byte) error {
		switch num {
		case planVersion:
			format = number
		case planTerraform:
			p.Terraform = string(content)
		}
		return nil
	})
	if err != nil {
		return nil, damaged("the plan file is damaged: %v", err)
	}
	if format != version {
		return nil, &VersionError{format, p.Terraform}
	}
	var complete, tells bool
	err = fields(text, func(num int, number uint64, content []byte) error {
		switch num {
		case planTimestamp:
			p.Timestamp = string(content)
		case planErrored:
			p.Errored = number != 0
		case planTargets:
			p.Incomplete = true
		case planDeferred:
			p.Incomplete = true
			return deferred(content, v)
		case planApplyable:
			tells = true // its writer also says whether the plan is complete
		case planComplete:
			complete = number != 0
		case planVariables:
			return p.variable(content)
		case planChanges:
			if err := ctx.Err(); err != nil {
				return err
			}
			return visit(content, v)
		}
		return nil
	})
	p.Incomplete = !complete && (p.Incomplete || tells)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, damaged("the plan file is damaged: %v", err)
	}
	return p, nil
}

func (p *Plan) variable(msg []byte) error {
	var name string
	var value []byte
	err := fields(msg, func(num int, _ uint64, content []byte) error {
		switch num {
		case entryKey:
			name = string(content)
		case entryValue:
			value = content
		}
		return nil
	})
	if err != nil {
		return err
	}
	known, unknown, err := dynamicValue(value)
	if err != nil {
		return err
	}
	if unknown == nil {
		p.Variables[name] = known
	}
	return nil
}

// deferred gives the address of a change that is left to a further plan.
func deferred(msg []byte, v *Visitor) error {
	return fields(msg, func(num int, _ uint64, change []byte) error {
		if num != deferredChange || v.Deferred == nil {
			return nil
		}
		return fields(change, func(num int, _ uint64, content []byte) error {
			if num == changeAddress {
				v.Deferred(string(content))
			}
			return nil
		})
	})
}

// visit gives one change to v.
func visit(msg []byte, v *Visitor) error {
	c := &Change{}
	var detail []byte
	err := fields(msg, func(num int, number uint64, content []byte) error {
		switch num {
		case changeAddress:
			c.Address = string(content)
		case changePrevious:
			c.Previous = string(content)
		case changeDeposed:
			c.Deposed = string(content)
		case changeReason:
			c.InCheck = number == readForCheck
		case changeChange:
			detail = content
		}
		return nil
	})
	if err != nil {
		return err
	}
	var action uint64
	err = fields(detail, func(num int, number uint64, _ []byte) error {
		if num == detailAction {
			action = number
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Actions = actions[action]
	if !v.Wants(c.Address, c.Actions) {
		return nil
	}
	if c.Actions == nil {
		v.Odd(c.Address, errAction)
		return nil
	}
	if err := c.values(action, detail); err != nil {
		v.Odd(c.Address, err)
		return nil
	}
	v.Change(c)
	return nil
}

var (
	errAction = errors.New("its action is of a newer Terraform")
	errValues = errors.New("a value before or after the change is missing")
)

// values reads what is before and after a change. There are two values for most
// actions, and one where one of the objects does not exist or both are the same.
func (c *Change) values(action uint64, detail []byte) error {
	var values [][]byte
	var before, after [][]byte
	err := fields(detail, func(num int, _ uint64, content []byte) error {
		switch num {
		case detailValues:
			values = append(values, content)
		case detailBefore:
			before = append(before, content)
		case detailAfter:
			after = append(after, content)
		}
		return nil
	})
	if err != nil {
		return err
	}
	i, j := 0, 1 // of the values before and after
	switch action {
	case actionNoOp:
		j = 0
	case actionCreateNew:
		i, j = -1, 0
	case actionDelete, actionForget:
		j = -1
	}
	if max(i, j) >= len(values) {
		return errValues
	}
	if i >= 0 {
		if c.Before, _, err = dynamicValue(values[i]); err != nil {
			return err
		}
	}
	c.Unknown = map[string]any{}
	if j >= 0 {
		var unknown any
		if c.After, unknown, err = dynamicValue(values[j]); err != nil {
			return err
		}
		if unknown != nil {
			c.Unknown = unknown
		}
	}
	if c.BeforeSensitive, err = marks(before); err != nil {
		return err
	}
	c.AfterSensitive, err = marks(after)
	return err
}

// dynamicValue decodes a DynamicValue.
func dynamicValue(msg []byte) (known, unknown any, err error) {
	var text []byte
	err = fields(msg, func(num int, _ uint64, content []byte) error {
		if num == valueMsgpack {
			text = content
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, nil, err
	case text == nil:
		return nil, nil, errEncoding
	}
	return decode(text)
}

var errEncoding = errors.New("a value is in an encoding that is not read")

// marks makes a tree with true at each of some paths, nil if there are none.
func marks(paths [][]byte) (any, error) {
	var tree any
	for _, path := range paths {
		var steps []any // names and numbers
		err := fields(path, func(num int, _ uint64, step []byte) error {
			if num != pathSteps {
				return nil
			}
			return fields(step, func(num int, _ uint64, content []byte) error {
				switch num {
				case stepAttribute:
					steps = append(steps, string(content))
				case stepElement:
					key, _, err := dynamicValue(content)
					if err != nil {
						return err
					}
					steps = append(steps, key)
				}
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
		tree = mark(tree, steps)
	}
	return tree, nil
}

// mark puts true at a place of a tree. A step that is no place of JSON, such as the
// item of a set, marks the whole.
func mark(tree any, steps []any) any {
	if tree == true || len(steps) == 0 {
		return true
	}
	switch key := steps[0].(type) {
	case string:
		m, _ := tree.(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		m[key] = mark(m[key], steps[1:])
		return m
	case float64:
		const most = 1 << 16 // items of a list
		list, _ := tree.([]any)
		if i := int(key); key >= 0 && key < most && float64(i) == key {
			if n := i + 1 - len(list); n > 0 {
				list = append(list, slices.Repeat([]any{nil}, n)...)
			}
			list[i] = mark(list[i], steps[1:])
			return list
		}
	}
	return true
}
