package terraform

import (
	"maps"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// before returns the plan that changes nothing of the world before the change: each
// object as it was, under the address that the change moves it to. What the change
// creates is not there, and what it reads late is as it was read last.
// A value that the change makes sensitive was mostly the same value before.
func (p *plan) before() *plan {
	secret := p.sensitivePolicies()
	out := *p
	out.changed, out.changes, out.diags = 0, nil, nil
	for _, rc := range p.changes {
		if rc.Change.Before == nil {
			continue
		}
		was := *rc
		sensitive := either(either(rc.Change.BeforeSensitive, rc.Change.AfterSensitive), echoes(rc.Change.Before, secret))
		was.Change = &tfjson.Change{
			Actions: tfjson.Actions{tfjson.ActionNoop},
			Before:  rc.Change.Before, After: rc.Change.Before, AfterUnknown: map[string]any{},
			BeforeSensitive: sensitive, AfterSensitive: sensitive,
		}
		out.changes = append(out.changes, &was)
	}
	return &out
}

// sensitivePolicies are the policies that some attribute marks as sensitive, in one
// shape.
func (p *plan) sensitivePolicies() map[string]bool {
	out := map[string]bool{}
	for _, rc := range p.changes {
		for _, side := range []struct{ values, marks any }{
			{rc.Change.Before, rc.Change.BeforeSensitive}, {rc.Change.After, rc.Change.AfterSensitive},
		} {
			values, _ := side.values.(map[string]any)
			for name, v := range values {
				if !marked(at(side.marks, name)) {
					continue
				}
				if text, ok := document(v); ok {
					out[text] = true
				}
			}
		}
	}
	return out
}

// echoes marks the attributes that hold one of some policies: a service answers with
// the policy that another resource sets, and Terraform knows of no mark there.
func echoes(values any, policies map[string]bool) any {
	if len(policies) == 0 {
		return nil
	}
	out := map[string]any{}
	attributes, _ := values.(map[string]any)
	for name, v := range attributes {
		if text, ok := document(v); ok && policies[text] {
			out[name] = true
		}
	}
	return out
}

// document returns a JSON object in a string without what does not matter in it.
func document(v any) (string, bool) {
	s, ok := v.(string)
	if !ok || !strings.HasPrefix(strings.TrimSpace(s), "{") {
		return "", false
	}
	return canonicalJSON(s), true
}

// either marks as sensitive what one of two marks does: each is true, or an object or
// list of the marks of parts.
func either(a, b any) any {
	if a == true || b == true {
		return true
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return a
		}
		out := maps.Clone(a)
		for name, mark := range b {
			out[name] = either(a[name], mark)
		}
		return out
	case []any:
		b, ok := b.([]any)
		if !ok {
			return a
		}
		out := make([]any, max(len(a), len(b)))
		for i := range out {
			out[i] = either(element(a, i), element(b, i))
		}
		return out
	default:
		return b
	}
}

// element returns an element of a list, nil beyond its end.
func element(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}
