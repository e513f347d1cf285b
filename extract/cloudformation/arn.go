package cloudformation

import (
	_ "embed"
	"strings"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// An arnRule says how the ARN of a resource follows from its properties, by the
// template that [extract.Expand] fills in: {Property} is the value of a property,
// or the name that CloudFormation makes up, {id} is what the service assigns.
type arnRule struct {
	typ string
	// sar is the resource type of the Service Authorization Reference.
	sar string
	arn string
	// ref is what Ref gives, as a template of its own.
	ref string
	// attrs are further attributes and their templates; Arn is always one.
	attrs map[string]string
}

var arnRules = func() map[string]*arnRule {
	rules := make(map[string]*arnRule, len(arnTable))
	for i := range arnTable {
		rules[arnTable[i].typ] = &arnTable[i]
	}
	return rules
}()

// ref is the value of Ref.
func (r *resource) ref() symbol.Text {
	return r.remember("", func() symbol.Text {
		rule := arnRules[r.typ]
		switch {
		case rule != nil:
			return r.expand(rule.ref)
		case arnRef(r.typ):
			if t, ok := r.generalARN(); ok {
				return t
			}
		}
		return symbol.Symbol{Name: r.address}.Text()
	})
}

// attr is the value of an attribute, false if it is not known to be a text.
func (r *resource) attr(name string) (symbol.Text, bool) {
	rule := arnRules[r.typ]
	switch {
	case rule != nil && (name == "Arn" || rule.attrs[name] != ""):
		template := rule.attrs[name]
		if p := r.physical(); p != "" && rule.ref == "{arn}" && (name == "Arn" || template == "{arn}") {
			return symbol.Literal(p), true
		}
		if template == "" {
			template = rule.arn
		}
		return r.remember(name, func() symbol.Text { return r.expand(template) }), true
	case rule == nil && r.isARN(name):
		t, ok := r.generalARN()
		return t, ok
	}
	return symbol.Text{}, false
}

// isARN reports whether an attribute is the resource's own ARN: Arn, or the name of
// the type with Arn after it.
func (r *resource) isARN(attr string) bool {
	_, last, _ := strings.Cut(strings.TrimPrefix(r.typ, "AWS::"), "::")
	return attr == "Arn" || attr == last+"Arn"
}

// remember makes the text of an attribute once. One that leads back to itself is a
// symbol.
func (r *resource) remember(attr string, f func() symbol.Text) symbol.Text {
	if t, ok := r.texts[attr]; ok {
		if t.busy {
			return symbol.Symbol{Name: strings.TrimSuffix(r.address+"."+attr, ".")}.Text()
		}
		return t.value
	}
	r.texts[attr] = text{busy: true}
	t := f()
	r.texts[attr] = text{value: t}
	return t
}

// expand fills in a template for the resource.
func (r *resource) expand(template string) symbol.Text {
	return extract.Expand(template, func(key string) symbol.Text {
		switch key {
		case "account":
			return r.Account.Value
		case "partition":
			return r.Partition.Value
		case "region":
			return r.Region.Value
		case "id":
			if p := r.physical(); p != "" && arnRules[r.typ].ref == "{id}" {
				return symbol.Literal(p)
			}
			return symbol.Symbol{Name: r.address, Class: symbol.Segment, Unique: true}.Text()
		case "@suffix":
			return symbol.Symbol{Name: r.address + ".suffix", Class: symbol.Segment, Unique: true}.Text()
		case "arn":
			t, _ := r.attr("Arn")
			return t
		}
		if p := r.physical(); p != "" && "{"+key+"}" == arnRules[r.typ].ref {
			return symbol.Literal(p)
		}
		if t, ok := r.property(key); ok {
			return t
		}
		switch {
		case key == "Path":
			return symbol.Literal("/")
		case key == "GroupName" && r.typ == "AWS::Scheduler::Schedule":
			return symbol.Literal("default")
		case "{"+key+"}" == arnRules[r.typ].ref:
			return symbol.Symbol{Name: r.address, Class: symbol.Segment, Unique: true}.Text()
		}
		return symbol.Symbol{Name: r.address + "." + key, Class: symbol.Segment, Unique: true}.Text()
	})
}

// physical is the physical ID of a resource that a change set keeps: what Ref gives.
func (r *resource) physical() string {
	if r.around != nil {
		return ""
	}
	return r.stack.physical[r.id]
}

// named reports whether the template says the name of the resource: if not,
// CloudFormation makes one up, and nothing written down before can be it.
func (r *resource) named() bool {
	rule := arnRules[r.typ]
	if rule == nil {
		return true
	}
	template := rule.arn
	for {
		_, rest, found := strings.Cut(template, "{")
		if !found {
			return false
		}
		key, after, _ := strings.Cut(rest, "}")
		key, _, _ = strings.Cut(key, "|")
		if _, set := r.property(key); set && key != "Path" {
			return true
		}
		template = after
	}
}

// property is the text of a property, "A.B" of one inside of another, in every
// world; false if it is not set. Of what is not known any property may be.
func (r *resource) property(path string) (symbol.Text, bool) {
	n := r.properties
	for name := range strings.SplitSeq(path, ".") {
		if n.Kind == source.Unknown {
			return named(r.address + "." + path), true
		}
		if n = member(n, name); n == nil {
			return symbol.Text{}, false
		}
	}
	v := r.evaluator().value(n)
	t, ok := scalar(v)
	if !ok || t.IsZero() {
		return symbol.Text{}, false
	}
	return t, true
}

// general is the ARN template of every resource type that has one, and whether Ref
// gives the ARN: lines of type, "arn" or nothing, template. (The CloudFormation
// resource specification and the Service Authorization Reference.)
//
//go:embed arns.tsv
var general string

// generalRow returns the line of a type.
func generalRow(typ string) (isRef bool, template string, ok bool) {
	i := strings.Index(general, "\n"+typ+"\t")
	if i < 0 {
		return false, "", false
	}
	line, _, _ := strings.Cut(general[i+1:], "\n")
	fields := strings.SplitN(line, "\t", 3)
	return fields[1] == "arn", fields[2], true
}

func arnRef(typ string) bool {
	isRef, _, ok := generalRow(typ)
	return ok && isRef
}

// generalARN is the ARN of a resource as far as its type tells; what follows from
// its properties is not looked at.
func (r *resource) generalARN() (symbol.Text, bool) {
	_, template, ok := generalRow(r.typ)
	if !ok {
		return symbol.Text{}, false
	}
	return extract.Expand(template, func(key string) symbol.Text {
		switch key {
		case "Account":
			return r.Account.Value
		case "Partition":
			return r.Partition.Value
		case "Region":
			return r.Region.Value
		default:
			return symbol.Symbol{Name: r.address + "." + key}.Text()
		}
	}), true
}

// output is the value of an output of a nested stack; nil for all else.
func (e *evaluator) output(n *source.Node, r *resource, attr string) *source.Node {
	name, ok := strings.CutPrefix(attr, "Outputs.")
	if !ok || r.nested() == nil {
		return nil
	}
	value := member(member(r.child.outputs, name), "Value")
	if value == nil {
		return nil
	}
	v := r.child.evaluator().value(value)
	if v != nil {
		own := *v
		own.Range = n.Range
		return &own
	}
	return nil
}
