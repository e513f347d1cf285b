package cloudformation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tfguard/tfguard/engine/source"
)

// ParseParameters reads a file with values of parameters, in any of the forms that
// AWS's tools take: the list of objects with ParameterKey and ParameterValue of the
// AWS CLI; an object, or one under the name Parameters, as CodePipeline and others
// have it; a list, or lines, of Key=Value. name is how messages call the file. A
// value that the stack keeps ("UsePreviousValue") is not known.
func ParseParameters(text []byte, name string) (map[string]string, error) {
	out := map[string]string{}
	if lines, ok := pairs(string(text)); ok {
		for _, line := range lines {
			key, value, _ := strings.Cut(line, "=")
			out[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
		return out, nil
	}
	root, err := Parse(text)
	if err != nil {
		return nil, inputError(name, err)
	}
	if p := member(root, "Parameters"); p != nil {
		root = p
	}
	switch root.Kind {
	case source.Object:
		for _, m := range root.Members {
			value, err := parameterText(m.Value)
			if err != nil {
				return nil, &InputError{Name: name, Line: m.Range.Start.Line, Column: m.Range.Start.Column, Msg: fmt.Sprintf("the parameter %s %v", m.Name, err)}
			}
			out[m.Name] = value
		}
		return out, nil
	case source.List:
		for _, item := range root.Items {
			if err := listedParameter(out, item); err != nil {
				return nil, &InputError{Name: name, Line: item.Range.Start.Line, Column: item.Range.Start.Column, Msg: err.Error()}
			}
		}
		return out, nil
	default:
		return nil, &InputError{Name: name, Msg: "this is no file of parameters: it takes a list of objects with ParameterKey and ParameterValue, an object, or lines of Key=Value"}
	}
}

func listedParameter(out map[string]string, item *source.Node) error {
	if key, value, ok := strings.Cut(literal(item), "="); ok {
		out[key] = value
		return nil
	}
	key := literal(member(item, "ParameterKey"))
	if key == "" {
		return errors.New("an item is \"Key=Value\", or an object with ParameterKey and ParameterValue")
	}
	value := member(item, "ResolvedValue")
	if value == nil {
		value = member(item, "ParameterValue")
	}
	if value == nil {
		return nil // the stack keeps the value that it has
	}
	text, err := parameterText(value)
	if err != nil {
		return fmt.Errorf("the parameter %s %w", key, err)
	}
	out[key] = text
	return nil
}

func parameterText(n *source.Node) (string, error) {
	if n.Kind == source.List {
		items := make([]string, len(n.Items))
		for i, item := range n.Items {
			items[i] = literal(item)
		}
		return strings.Join(items, ","), nil
	}
	if t, ok := scalar(n); ok {
		return t.String(), nil
	}
	return "", errors.New("has a value that is neither a string nor a list of strings")
}

// pairs returns the lines of a text in which every line is Key=Value.
func pairs(text string) ([]string, bool) {
	var out []string
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, _, ok := strings.Cut(line, "=")
		if !ok || strings.ContainsAny(key, `:"'{[ `) && !strings.HasPrefix(key, "AWS::") {
			return nil, false
		}
		out = append(out, line)
	}
	return out, len(out) > 0
}
