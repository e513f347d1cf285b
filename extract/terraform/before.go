package terraform

import tfjson "github.com/hashicorp/terraform-json"

// before returns the plan that changes nothing of the world before the change: each
// object as it was, under the address that the change moves it to. What the change
// creates is not there, and what it reads late is as it was read last.
func (p *plan) before() *plan {
	out := *p
	out.changed, out.changes, out.diags = 0, nil, nil
	for _, rc := range p.changes {
		if rc.Change.Before == nil {
			continue
		}
		was := *rc
		was.Change = &tfjson.Change{
			Actions: tfjson.Actions{tfjson.ActionNoop},
			Before:  rc.Change.Before, After: rc.Change.Before, AfterUnknown: map[string]any{},
			BeforeSensitive: rc.Change.BeforeSensitive, AfterSensitive: rc.Change.BeforeSensitive,
		}
		out.changes = append(out.changes, &was)
	}
	return &out
}
