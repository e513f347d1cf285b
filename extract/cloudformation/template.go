package cloudformation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A reader brings what the templates of one input define into one inventory.
type reader struct {
	*extract.Register
	opts  Options
	stack *stack
	// world is what is assumed of the conditions, nil for nothing; open is the first
	// comparison that it does not decide.
	world *world
	open  *atom
	// warned are the names that a warning was given for.
	warned map[string]bool
	// templates are the stack's own and those of nested stacks.
	templates []*template
	// strangers are the resources that only policies of the input name.
	strangers map[symbol.Text]*extract.Resource
	// inventory are the resources of the inventory.
	inventory map[*resource]*extract.Resource
	indexes   map[string]*extract.Index[*resource]
	carried   map[*resource][]carried
	byType    map[string][]*resource
	// ungiven are the parameters without a value, with the default they could have.
	ungiven []string
}

// A template is one template with what is given for its parameters.
type template struct {
	*reader
	// file is where ranges count, prefix what addresses begin with in a nested stack.
	file, prefix string
	// dir is the folder that local paths of nested templates start from.
	dir        string
	parameters map[string]*parameter
	mappings   *source.Node
	// conditionNodes are the conditions by name.
	conditionNodes map[string]*source.Node
	outputs        *source.Node
	resources      []*resource
	byID           map[string]*resource
	// around is the resource of the stack around that a nested stack is.
	around *resource
	// copies counts what loops have unfolded to.
	copies int
}

// A parameter is one of a template.
type parameter struct {
	// value is what Ref gives: a symbol if no value is given.
	value   *source.Node
	allowed []string
}

// A resource is one of a template.
type resource struct {
	*template
	id, address, typ string
	node             *source.Node
	// properties are as written, condition names that of the resource.
	properties *source.Node
	condition  string
	// at is the place of the logical ID.
	at source.Range
	// variants are the properties in each world in which the resource exists, or
	// may; sure is Unknown if it may not exist.
	variants []variant
	sure     kleene.Truth
	// texts remembers attributes, busy ones with a zero text.
	texts map[string]text
	// child is the template of a nested stack that was read.
	child      *template
	triedStack bool
}

// A text is an attribute's text, remembered; busy while it is being made.
type text struct {
	value symbol.Text
	busy  bool
}

func (t *template) origin(address, attribute string) source.Origin {
	return source.Origin{Address: address, Attribute: attribute, File: t.file}
}

func (r *resource) place(path string) source.Origin { return r.origin(r.address, path) }

// sections of a template. (AWS page "CloudFormation template sections".)
var sections = []string{
	"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings",
	"Conditions", "Transform", "Resources", "Outputs", "Hooks", "Globals", "Modules", "Constants", "Packages",
}

// newTemplate reads the sections of a template. given are the values of parameters
// by name, as the caller of the template evaluated them.
func (rd *reader) newTemplate(root *source.Node, file, dir string, around *resource, given map[string]*source.Node) *template {
	t := &template{
		reader: rd, file: file, dir: dir, around: around,
		parameters: map[string]*parameter{}, conditionNodes: map[string]*source.Node{}, byID: map[string]*resource{},
	}
	if around != nil {
		t.prefix = around.address + "."
	}
	rd.templates = append(rd.templates, t)
	t.duplicates(root)
	t.readParameters(member(root, "Parameters"), given)
	t.mappings = member(root, "Mappings")
	t.transforms(root)
	for _, m := range t.unfold(member(root, "Conditions")) {
		t.conditionNodes[m.Name] = m.Value
	}
	t.outputs = member(root, "Outputs")
	if t.outputs != nil {
		t.outputs = &source.Node{Kind: source.Object, Members: t.unfold(t.outputs), Range: t.outputs.Range}
	}
	globals := member(root, "Globals")
	sam := usesTransform(root, serverless)
	for _, m := range t.unfold(member(root, "Resources")) {
		expanded := []source.Member{m}
		if sam {
			expanded = t.expandSAM(m, globals)
		}
		for _, one := range expanded {
			t.addResource(one)
		}
	}
	// Only when all are known can one be evaluated, since each may name others.
	t.resources = slices.DeleteFunc(t.resources, func(r *resource) bool {
		r.evaluate()
		return len(r.variants) == 0
	})
	for _, r := range t.resources {
		r.nested()
	}
	return t
}

// evaluator returns one for what holds in every world.
func (t *template) evaluator() *evaluator { return &evaluator{template: t, world: t.world} }

// duplicates reports names that stand twice in one object, and keeps neither value:
// which of them CloudFormation takes is on no page.
func (t *template) duplicates(n *source.Node) {
	switch n.Kind {
	case source.List:
		for _, item := range n.Items {
			t.duplicates(item)
		}
	case source.Object:
		seen := make(map[string]int, len(n.Members))
		kept := n.Members[:0:0]
		twice := false
		for i := range n.Members {
			m := n.Members[i]
			if first, again := seen[m.Name]; again {
				twice = true
				t.Warn(t.origin("", ""), m.Range, "Name stands twice",
					"%q stands twice in one object, and CloudFormation refuses the template or takes one of the two. What depends on it stays unknown.", m.Name)
				kept[first].Value = &source.Node{Kind: source.Unknown, Text: named(m.Name + ", which stands twice"), Range: m.Value.Range}
				continue
			}
			seen[m.Name] = len(kept)
			kept = append(kept, m)
			t.duplicates(m.Value)
		}
		if twice {
			n.Members = kept
		}
	default:
	}
}

// readParameters finds the value of every parameter: what is given, a symbol
// otherwise. (AWS page "CloudFormation template Parameters syntax".)
func (t *template) readParameters(section *source.Node, given map[string]*source.Node) {
	if section == nil {
		return
	}
	if t.around == nil {
		t.Secret = map[string]bool{}
	}
	for _, m := range section.Members {
		p := &parameter{}
		t.parameters[m.Name] = p
		typ := literal(member(m.Value, "Type"))
		if list := member(m.Value, "AllowedValues"); list != nil && list.Kind == source.List {
			for _, item := range list.Items {
				p.allowed = append(p.allowed, literal(item))
			}
		}
		p.value = t.parameterValue(m, typ, p.allowed, given[m.Name])
		if t.around == nil {
			t.Secret[m.Name] = t.secret(m)
		}
	}
}

func (t *template) parameterValue(m source.Member, typ string, allowed []string, given *source.Node) *source.Node {
	list := typ == "CommaDelimitedList" || strings.HasPrefix(typ, "List<")
	def := member(m.Value, "Default")
	switch {
	case given == nil && def != nil && (t.opts.AssumeDefaults || t.around != nil):
		// A nested stack has the defaults of what the stack around leaves out.
		text, _ := scalar(t.evaluator().value(def))
		given = stringNode(m.Value, text)
		if t.around == nil && !t.secret(m) {
			t.Parameters = append(t.Parameters, extract.Parameter{
				Name: m.Name, Fact: extract.Fact{Value: text, From: "its default", Assumed: true},
			})
		}
	case given == nil && len(allowed) == 1:
		given = stringNode(m.Value, symbol.Literal(allowed[0]))
	case given == nil && t.around == nil:
		name := m.Name
		if text, ok := scalar(def); ok && !t.secret(m) {
			name += " (default " + text.String() + ")"
		}
		t.ungiven = append(t.ungiven, name)
	}
	s := symbol.Symbol{Name: t.prefix + m.Name}
	if slices.Contains([]string{"account", "region", "organization"}, s.Name) {
		s.Name = "parameter " + s.Name
	}
	switch {
	case given != nil && t.secret(m):
		given = stringNode(m.Value, s.Text())
	case given != nil && strings.HasPrefix(typ, "AWS::SSM::Parameter::Value<"):
		name, _ := scalar(given)
		return &source.Node{Kind: unknownKind(list || strings.Contains(typ, "List<")), Text: named("resolve:ssm:" + name.String())}
	case given == nil && (strings.HasPrefix(typ, "AWS::") && strings.HasSuffix(typ, "::Id") || typ == "Number" || segments(allowed)):
		s.Class = symbol.Segment
	}
	if given == nil {
		return &source.Node{Kind: unknownKind(list || strings.HasPrefix(typ, "AWS::SSM::Parameter::Value<") && strings.Contains(typ, "List<")), Text: s.Text()}
	}
	text, ok := scalar(given)
	if literal, known := text.Literal(); ok && list && known && given.Kind != source.Unknown {
		out := &source.Node{Kind: source.List}
		for item := range strings.SplitSeq(literal, ",") {
			out.Items = append(out.Items, &source.Node{Kind: source.String, Text: symbol.Literal(strings.TrimSpace(item))})
		}
		return out
	}
	if ok && list && given.Kind == source.String {
		return &source.Node{Kind: source.Unknown, Text: text}
	}
	return given
}

// secret reports whether the value of a parameter must not be shown.
func (*template) secret(m source.Member) bool {
	return strings.EqualFold(literal(member(m.Value, "NoEcho")), "true")
}

func unknownKind(list bool) source.Kind {
	if list {
		return source.Unknown
	}
	return source.String
}

// segments reports whether all values are parts of names and ids.
func segments(values []string) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return v == "" || strings.ContainsAny(v, ":/*?") })
}

// Transforms that are understood here.
const (
	serverless         = "AWS::Serverless-2016-10-31"
	languageExtensions = "AWS::LanguageExtensions"
)

// transforms reads the section Transform, and says what macros are not expanded.
func (t *template) transforms(root *source.Node) {
	n := member(root, "Transform")
	if n == nil {
		return
	}
	items := []*source.Node{n}
	if n.Kind == source.List {
		items = n.Items
	}
	for _, item := range items {
		name := literal(item)
		if name == "" {
			name = literal(member(item, "Name"))
		}
		switch name {
		case serverless, languageExtensions:
		default:
			t.macro(item.Range, name)
		}
	}
}

// macro says that a macro is not expanded.
func (t *template) macro(at source.Range, name string) {
	sentence := fmt.Sprintf("The macro %s is not expanded: AWS runs it when the stack is made. What it adds or changes is not known.", name)
	t.Warn(t.origin("", ""), at, "Macro not expanded", "%s", sentence)
	if !slices.Contains(t.Incomplete, sentence) {
		t.Incomplete = append(t.Incomplete, sentence)
	}
}

// addResource adds a resource of the section Resources.
func (t *template) addResource(m source.Member) {
	n := m.Value
	r := &resource{
		template: t, id: m.Name, address: t.prefix + m.Name, node: n, at: m.Range,
		typ: literal(member(n, "Type")), properties: member(n, "Properties"), condition: literal(member(n, "Condition")),
		texts: map[string]text{},
	}
	switch {
	case m.Name == "Fn::Transform":
		t.macro(m.Range, literal(member(n, "Name")))
		return
	case strings.HasPrefix(m.Name, forEach):
		t.unseen(r, "the loop %s is not unfolded", m.Name)
		return
	case strings.HasSuffix(r.typ, "::MODULE") || r.typ == "" && member(n, "Type") != nil:
		t.unseen(r, "the module %s is not expanded", r.address)
		return
	case n.Kind != source.Object || r.typ == "":
		t.unseen(r, "%s is no object with a Type", r.address)
		return
	}
	if r.properties == nil || r.properties.Kind != source.Object && r.properties.Kind != source.Unknown {
		r.properties = &source.Node{Kind: source.Object, Range: m.Range}
	}
	t.byID[r.id] = r
	t.resources = append(t.resources, r)
}

// unseen says that what a part of the section Resources makes is not known.
func (t *template) unseen(r *resource, why string, args ...any) {
	sentence := capital(fmt.Sprintf(why, args...)) + ": its resources and policies are not known."
	t.Warn(r.place(""), r.at, "Resources not known", "%s", sentence)
	t.Incomplete = append(t.Incomplete, sentence)
	doc := policy.Unread(r.address, policy.Identity, r.place(""), fmt.Sprintf(why, args...))
	t.Enter(doc)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// evaluate finds the variants of a resource.
func (r *resource) evaluate() {
	r.sure = kleene.True
	if r.typ != stackType && arnRules[r.typ] == nil && len(needed(r.typ)) == 0 {
		r.variants = []variant{{value: &source.Node{Kind: source.Object}}}
		return // nothing hangs on whether it exists
	}
	properties := r.reduced()
	all := r.template.variants(func(e *evaluator) *source.Node {
		if r.condition != "" && e.truth(r.condition) == kleene.False {
			return nil
		}
		return e.value(properties)
	})
	for _, v := range all {
		if v.value != nil {
			r.variants = append(r.variants, v)
		}
		if r.condition != "" {
			e := &evaluator{template: r.template, world: v.world}
			r.sure = min(r.sure, max(kleene.Unknown, e.truth(r.condition)))
		}
	}
}

// exists says how sure it is that the resource exists, and what that hangs on.
func (r *resource) exists() (kleene.Truth, string) {
	if r.sure != kleene.True {
		return r.sure, whether(r.prefix + r.condition)
	}
	if r.around != nil {
		return r.around.exists()
	}
	return kleene.True, ""
}

func whether(conditions string) string {
	if strings.Contains(conditions, ", ") {
		return "whether the conditions " + conditions + " hold"
	}
	return "whether the condition " + conditions + " holds"
}

// given says how sure it is that r exists where o exists.
func (r *resource) given(o *resource) (kleene.Truth, string) {
	if r.template != o.template {
		return r.exists()
	}
	if r.condition == "" || r == o {
		return kleene.True, ""
	}
	var out kleene.Truth
	for i, v := range o.variants {
		e := &evaluator{template: r.template, world: v.world}
		t := e.truth(r.condition)
		if i == 0 {
			out = t
		}
		out = kleene.Join(out, t)
	}
	return out, whether(r.prefix + r.condition)
}
