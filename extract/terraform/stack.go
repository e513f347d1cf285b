package terraform

import (
	"slices"

	"github.com/tfguard/tfguard/extract"
)

// A Stack is a stack of CloudFormation that a plan makes, with its template.
type Stack struct {
	// Address is that of the resource.
	Address string
	// Template is the text of the template.
	Template string
	// Parameters are the values of its parameters by name.
	Parameters map[string]string
	// Late are the names of those that are known only after apply.
	Late []string
}

const stackType = "aws_cloudformation_stack"

// stacks are the stacks whose templates the plan holds. Of others it says why they are
// not read.
func (b *builder) stacks() []Stack {
	var out []Stack
	for _, in := range b.byType[stackType] {
		const attr = "template_body"
		body, known := in.str(attr)
		url, elsewhere := in.str("template_url")
		switch {
		case marked(at(in.sensitive, attr)), marked(at(in.sensitive, "parameters")):
			b.stackNotRead(in, "its template or its parameters are sensitive")
		case known:
			out = append(out, stackOf(in, body))
		case elsewhere:
			b.stackNotRead(in, "its template lies at "+url)
		case in.isUnknown(attr) && b.configured(in, attr):
			b.stackNotRead(in, "its template is known only after apply")
		default:
			b.stackNotRead(in, "the plan holds no template_body of it")
		}
	}
	return out
}

func stackOf(in *instance, body string) Stack {
	s := Stack{Address: in.address, Template: body, Parameters: map[string]string{}}
	values, _ := in.values["parameters"].(map[string]any)
	for name, v := range values {
		if text, ok := v.(string); ok {
			s.Parameters[name] = text
		}
	}
	late, _ := at(in.unknown, "parameters").(map[string]any)
	for name, v := range late {
		if marked(v) {
			s.Late = append(s.Late, name)
		}
	}
	slices.Sort(s.Late)
	return s
}

func (b *builder) stackNotRead(in *instance, why string) {
	sentence := "The stack " + in.address + " is not read: " + why + ". Its resources are not known."
	b.warn(in, "template_body", "Stack not read", "%s", sentence)
	b.Incomplete = append(b.Incomplete, sentence)
}

// withStacks adds what the templates of stacks make to the world of the plan.
func (b *builder) withStacks(out *extract.Result, opts Options) *extract.Result {
	if opts.Stacks == nil {
		return out
	}
	stacks := b.stacks()
	out.Diagnostics = b.Diagnostics
	if len(stacks) == 0 {
		return out
	}
	theirs, err := opts.Stacks(stacks, b.Account)
	if err != nil {
		for _, s := range stacks {
			for _, in := range b.byType[stackType] {
				if in.address == s.Address {
					b.stackNotRead(in, err.Error())
				}
			}
		}
		out.Diagnostics = b.Diagnostics
		return out
	}
	joined := extract.Join(out, theirs)
	joined.Inventory.Changes = b.Changes // the stack is one
	joined.Inventory.Parameters = nil
	return joined
}
