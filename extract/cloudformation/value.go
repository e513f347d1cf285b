package cloudformation

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// An evaluator gives the values that parts of a template have in a world. What is
// not known keeps its identity: it is a text with a symbol, or a node of the kind
// Unknown where not even its shape is known.
type evaluator struct {
	*template
	world *world
	depth int
	// open is the first comparison that was needed and that the world does not
	// decide, with the name of the condition that needed it.
	open *atom
	// conditions are the names of those being decided, the outermost first.
	conditions []string
}

// maxDepth bounds how deep functions and references lead into each other.
const maxDepth = 100

// value evaluates a part of the template; nil stands for AWS::NoValue.
func (e *evaluator) value(n *source.Node) *source.Node {
	if e.depth > maxDepth {
		return e.unknown(n, "a value that is nested too deep")
	}
	e.depth++
	defer func() { e.depth-- }()
	switch n.Kind {
	case source.String:
		return e.resolveDynamic(n)
	case source.Number:
		return e.number(n)
	case source.List:
		out := &source.Node{Kind: source.List, Range: n.Range}
		for _, item := range n.Items {
			if v := e.value(item); v != nil {
				out.Items = append(out.Items, v)
			}
		}
		return out
	case source.Object:
		if len(n.Members) == 1 {
			if f := functions[n.Members[0].Name]; f != nil {
				return f(e, n, n.Members[0].Value)
			}
		}
		return e.object(n)
	default:
		return n
	}
}

// number is a number as it is written, as CloudFormation keeps it, but for what YAML
// takes for an octal one.
func (e *evaluator) number(n *source.Node) *source.Node {
	s := n.Text.String()
	if len(s) < 2 || s[0] != '0' || strings.Trim(s, "01234567") != "" {
		return n
	}
	if !e.warned[s] {
		e.warned[s] = true
		e.Warn(e.origin("", ""), n.Range, "Number with a leading zero", "YAML reads %s as an octal number. Quote account ids.", s)
	}
	return e.unknown(n, s+", an octal number")
}

func (e *evaluator) object(n *source.Node) *source.Node {
	out := &source.Node{Kind: source.Object, Range: n.Range}
	for _, m := range e.unfold(n) {
		if strings.HasPrefix(m.Name, "Fn::") || m.Name == "Ref" && len(n.Members) == 1 {
			e.warnFunction(m)
			return e.unknown(n, e.prefix+m.Name+"("+render(m.Value)+")")
		}
		if v := e.value(m.Value); v != nil {
			out.Members = append(out.Members, source.Member{Name: m.Name, Range: m.Range, Value: v})
		}
	}
	return out
}

// warnFunction says once of a function that it is not evaluated.
func (e *evaluator) warnFunction(m source.Member) {
	if e.warned[m.Name] {
		return
	}
	e.warned[m.Name] = true
	e.Warn(e.origin("", ""), m.Range, "Function not evaluated",
		"%s is not evaluated here: it is no intrinsic function with these arguments, or only AWS can tell its value. What depends on it stays unknown.", m.Name)
}

// unknown returns a node of which nothing is known but its name.
func (*evaluator) unknown(n *source.Node, name string) *source.Node {
	return &source.Node{Kind: source.Unknown, Text: named(name), Range: n.Range}
}

// unknownText is a string whose value is not known.
func unknownText(n *source.Node, name string) *source.Node {
	return &source.Node{Kind: source.String, Text: named(name), Range: n.Range}
}

// named returns the symbol of an expression. Long names are cut, and stay different.
func named(name string) symbol.Text {
	const most = 120
	if len(name) > most {
		h := fnv.New64a()
		h.Write([]byte(name))
		name = strings.ToValidUTF8(name[:most], "") + "… #" + strconv.FormatUint(h.Sum64(), 36)
	}
	return symbol.Symbol{Name: name}.Text()
}

// render writes a value on one line, to name what is made of it.
func render(n *source.Node) string {
	if n == nil {
		return "AWS::NoValue"
	}
	switch n.Kind {
	case source.Null:
		return "null"
	case source.List:
		parts := make([]string, len(n.Items))
		for i, item := range n.Items {
			parts[i] = render(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case source.Object:
		parts := make([]string, len(n.Members))
		for i, m := range n.Members {
			parts[i] = m.Name + ": " + render(m.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return n.Text.String()
	}
}

// scalar returns the text of a scalar, and false for what is no scalar.
func scalar(n *source.Node) (symbol.Text, bool) {
	if n == nil {
		return symbol.Text{}, false
	}
	switch n.Kind {
	case source.String, source.Number, source.Bool, source.Unknown:
		return n.Text, true
	default:
		return symbol.Text{}, false
	}
}

func stringNode(n *source.Node, t symbol.Text) *source.Node {
	return &source.Node{Kind: source.String, Text: t, Range: n.Range}
}

// member returns the value of a member of an object; nil if it has none.
func member(n *source.Node, name string) *source.Node {
	if n == nil {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Name == name {
			return n.Members[i].Value
		}
	}
	return nil
}

// literal returns the string that a node is, empty for all else.
func literal(n *source.Node) string {
	t, _ := scalar(n)
	s, _ := t.Literal()
	return s
}

// functions are the intrinsic functions, in their long form. (AWS page "Intrinsic
// function reference" of the CloudFormation User Guide.)
var functions map[string]func(e *evaluator, n, arg *source.Node) *source.Node

func init() {
	functions = map[string]func(e *evaluator, n, arg *source.Node) *source.Node{
		"Ref":              (*evaluator).ref,
		"Fn::GetAtt":       (*evaluator).getAtt,
		"Fn::Sub":          (*evaluator).sub,
		"Fn::Join":         (*evaluator).join,
		"Fn::Select":       (*evaluator).selectItem,
		"Fn::Split":        (*evaluator).split,
		"Fn::If":           (*evaluator).choose,
		"Fn::FindInMap":    (*evaluator).findInMap,
		"Fn::ImportValue":  (*evaluator).importValue,
		"Fn::Base64":       (*evaluator).base64,
		"Fn::Cidr":         (*evaluator).cidr,
		"Fn::GetAZs":       (*evaluator).zones,
		"Fn::ToJsonString": (*evaluator).toJSON,
		"Fn::Length":       (*evaluator).length,
		"Fn::Equals":       (*evaluator).condition,
		"Fn::And":          (*evaluator).condition,
		"Fn::Or":           (*evaluator).condition,
		"Fn::Not":          (*evaluator).condition,
	}
}

// malformed is what a function with other arguments than it takes comes to.
func (e *evaluator) malformed(n *source.Node) *source.Node {
	e.Warn(e.origin("", ""), n.Range, "Function with wrong arguments",
		"%s does not have the arguments that CloudFormation asks for. What depends on it stays unknown.", n.Members[0].Name)
	return e.unknown(n, e.prefix+render(n))
}

// args evaluates the arguments of a function; nil if there are fewer than least, or
// some is AWS::NoValue.
func (e *evaluator) args(arg *source.Node, least int) []*source.Node {
	if arg.Kind != source.List || len(arg.Items) < least {
		return nil
	}
	out := make([]*source.Node, len(arg.Items))
	for i, item := range arg.Items {
		if out[i] = e.value(item); out[i] == nil {
			return nil
		}
	}
	return out
}

func (e *evaluator) ref(n, arg *source.Node) *source.Node {
	name, ok := scalar(e.value(arg))
	s, known := name.Literal()
	if !ok || !known {
		return e.malformed(n)
	}
	if s == "AWS::NoValue" {
		return nil
	}
	if v := e.reference(n, s); v != nil {
		return v
	}
	e.missing(n, s)
	return e.unknown(n, e.prefix+s)
}

func (e *evaluator) missing(n *source.Node, name string) {
	if e.warned[name] {
		return
	}
	e.warned[name] = true
	e.Warn(e.origin("", ""), n.Range, "Reference leads nowhere",
		"The template has no parameter and no resource %q: CloudFormation refuses it. What depends on it stays unknown.", name)
}

// reference returns the value of Ref; nil for a name that the template does not have.
func (e *evaluator) reference(n *source.Node, name string) *source.Node {
	if strings.HasPrefix(name, "AWS::") {
		t, ok := e.pseudo(name)
		if !ok {
			return nil
		}
		return e.assumed(n, stringNode(n, t))
	}
	if p := e.parameters[name]; p != nil {
		v := *p.value
		v.Range = n.Range
		return e.assumed(n, &v)
	}
	if r := e.byID[name]; r != nil {
		return stringNode(n, r.ref())
	}
	return nil
}

// assumed is a value as the world has it.
func (e *evaluator) assumed(n, v *source.Node) *source.Node {
	if t, ok := e.world.value(v.Text); ok && v.Kind != source.List {
		return stringNode(n, t)
	}
	return v
}

// pseudo returns the value of a pseudo parameter. (AWS page "Pseudo parameters
// reference".)
func (t *template) pseudo(name string) (symbol.Text, bool) {
	switch name {
	case "AWS::AccountId":
		return t.Account.Value, true
	case "AWS::Region":
		return t.Region.Value, true
	case "AWS::Partition":
		return t.Partition.Value, true
	}
	if f, ok := t.pseudoFact(name); ok && t.around == nil {
		return f.Value, true
	}
	switch name {
	case "AWS::URLSuffix":
		switch p, known := t.Partition.Value.Literal(); {
		case known && p == "aws-cn":
			return symbol.Literal("amazonaws.com.cn"), true
		case known:
			return symbol.Literal("amazonaws.com"), true
		}
		return named(t.prefix + name), true
	case "AWS::StackName":
		return symbol.Symbol{Name: t.prefix + name, Class: symbol.Segment}.Text(), true
	case "AWS::StackId":
		stack := symbol.Symbol{Name: t.prefix + "AWS::StackName", Class: symbol.Segment}.Text()
		return symbol.Concat(symbol.Literal("arn:"), t.Partition.Value, symbol.Literal(":cloudformation:"), t.Region.Value,
			symbol.Literal(":"), t.Account.Value, symbol.Literal(":stack/"), stack, symbol.Literal("/"),
			symbol.Symbol{Name: t.prefix + name, Class: symbol.Segment, Unique: true}.Text()), true
	case "AWS::NotificationARNs":
		return named(t.prefix + name), true
	}
	return symbol.Text{}, false
}

func (e *evaluator) getAtt(n, arg *source.Node) *source.Node {
	var id, attr symbol.Text
	v := e.value(arg)
	switch {
	case v == nil:
		return e.malformed(n)
	case v.Kind == source.List && len(v.Items) == 2:
		id, attr = v.Items[0].Text, v.Items[1].Text
	case v.Kind == source.List && len(v.Items) > 2:
		parts := make([]string, len(v.Items)-1)
		for i, item := range v.Items[1:] {
			parts[i] = literal(item)
		}
		id, attr = v.Items[0].Text, symbol.Literal(strings.Join(parts, "."))
	case v.Kind == source.String:
		parts := v.Text.SplitN('.', 2)
		if len(parts) != 2 {
			return e.malformed(n)
		}
		id, attr = parts[0], parts[1]
	default:
		return e.malformed(n)
	}
	name, known := id.Literal()
	path, sure := attr.Literal()
	if !known || !sure {
		return e.unknown(n, "Fn::GetAtt("+render(v)+")")
	}
	return e.attribute(n, name, path)
}

// attribute returns the value of Fn::GetAtt. It may be a list.
func (e *evaluator) attribute(n *source.Node, id, attr string) *source.Node {
	r := e.byID[id]
	if r == nil {
		e.missing(n, id)
		return e.unknown(n, e.prefix+id+"."+attr)
	}
	if t, ok := r.attr(attr); ok {
		return stringNode(n, t)
	}
	if v := e.output(n, r, attr); v != nil {
		return v
	}
	return e.unknown(n, r.address+"."+attr)
}

func (e *evaluator) sub(n, arg *source.Node) *source.Node {
	pattern, vars := arg, (*source.Node)(nil)
	if arg.Kind == source.List {
		if len(arg.Items) != 2 || arg.Items[1].Kind != source.Object {
			return e.malformed(n)
		}
		pattern, vars = arg.Items[0], arg.Items[1]
	}
	s, known := pattern.Text.Literal()
	if pattern.Kind != source.String && pattern.Kind != source.Number || !known {
		return e.malformed(n)
	}
	var parts []symbol.Text
	for s != "" {
		before, rest, found := strings.Cut(s, "${")
		parts = append(parts, symbol.Literal(before))
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			parts = append(parts, symbol.Literal("${"+rest))
			break
		}
		s = after
		if name, escaped := strings.CutPrefix(name, "!"); escaped {
			parts = append(parts, symbol.Literal("${"+name+"}"))
			continue
		}
		t, ok := e.substitute(pattern, vars, strings.TrimSpace(name))
		if !ok {
			return e.malformed(n)
		}
		parts = append(parts, t)
	}
	out := stringNode(n, symbol.Concat(parts...))
	out.Range = pattern.Range
	return e.resolveDynamic(out)
}

// substitute gives the text of a variable of Fn::Sub.
func (e *evaluator) substitute(n, vars *source.Node, name string) (symbol.Text, bool) {
	var v *source.Node
	id, attr, dotted := strings.Cut(name, ".")
	switch own := member(vars, name); {
	case own != nil:
		v = e.value(own)
	case dotted && !strings.Contains(name, ":"):
		v = e.attribute(n, id, attr)
	default:
		v = e.reference(n, name)
		if v == nil {
			e.missing(n, name)
			return named(e.prefix + name), true
		}
	}
	return scalar(v)
}

func (e *evaluator) join(n, arg *source.Node) *source.Node {
	if arg.Kind != source.List || len(arg.Items) != 2 {
		return e.malformed(n)
	}
	delimiter, list := e.value(arg.Items[0]), e.value(arg.Items[1])
	d, ok := scalar(delimiter)
	if !ok || list == nil {
		return e.malformed(n)
	}
	items, whole := listItems(list)
	if !whole {
		return unknownText(n, "Fn::Join("+render(delimiter)+", "+render(list)+")")
	}
	var parts []symbol.Text
	for i, item := range items {
		t, ok := scalar(item)
		if !ok {
			return unknownText(n, "Fn::Join("+render(delimiter)+", "+render(list)+")")
		}
		if i > 0 {
			parts = append(parts, d)
		}
		parts = append(parts, t)
	}
	return e.resolveDynamic(stringNode(n, symbol.Concat(parts...)))
}

// listItems returns the items of a list, and false if they are not known. A
// scalar is a list of one.
func listItems(n *source.Node) ([]*source.Node, bool) {
	switch n.Kind {
	case source.List:
		return n.Items, !slices.ContainsFunc(n.Items, func(i *source.Node) bool { return i.Kind == source.Unknown })
	case source.Unknown:
		return nil, false
	default:
		return []*source.Node{n}, true
	}
}

func (e *evaluator) selectItem(n, arg *source.Node) *source.Node {
	if arg.Kind != source.List || len(arg.Items) != 2 {
		return e.malformed(n)
	}
	index, list := e.value(arg.Items[0]), e.value(arg.Items[1])
	if index == nil || list == nil {
		return e.malformed(n)
	}
	late := e.unknown(n, "Fn::Select("+render(index)+", "+render(list)+")")
	t, ok := scalar(index)
	s, known := t.Literal()
	if !ok || !known {
		return late
	}
	i, err := strconv.Atoi(s)
	if err != nil || i < 0 {
		return e.malformed(n)
	}
	switch {
	case list.Kind == source.Unknown:
		return late
	case list.Kind != source.List:
		return e.malformed(n)
	case slices.ContainsFunc(list.Items[:min(i, len(list.Items))], func(n *source.Node) bool { return n.Kind == source.Unknown }):
		return late // one of the items before it may be none, or several
	case i >= len(list.Items):
		return e.malformed(n)
	}
	return list.Items[i]
}

func (e *evaluator) split(n, arg *source.Node) *source.Node {
	args := e.args(arg, 2)
	if args == nil {
		return e.malformed(n)
	}
	delimiter := literal(args[0])
	t, ok := scalar(args[1])
	switch {
	case delimiter == "" || !ok:
		return e.malformed(n)
	case args[1].Kind == source.Unknown:
		return e.unknown(n, "Fn::Split("+delimiter+", "+render(args[1])+")")
	}
	parts, known := splitText(t, delimiter)
	if !known {
		return e.unknown(n, "Fn::Split("+delimiter+", "+render(args[1])+")")
	}
	out := &source.Node{Kind: source.List, Range: n.Range}
	for _, part := range parts {
		out.Items = append(out.Items, stringNode(n, part))
	}
	return out
}

// splitText splits a text around a delimiter, false if an unknown part of it may
// hold the delimiter: a narrow symbol holds no colon, slash or wildcard.
func splitText(t symbol.Text, delimiter string) ([]symbol.Text, bool) {
	if s, known := t.Literal(); known {
		var parts []symbol.Text
		for part := range strings.SplitSeq(s, delimiter) {
			parts = append(parts, symbol.Literal(part))
		}
		return parts, true
	}
	if len(delimiter) != 1 {
		return nil, false
	}
	outside := strings.ContainsAny(delimiter, ":/*?")
	for s := range t.Symbols() {
		if s.Class == symbol.Any || s.Class == symbol.Segment && !outside || s.Class == symbol.Digits && delimiter >= "0" && delimiter <= "9" {
			return nil, false
		}
	}
	return t.SplitN(delimiter[0], 1<<16), true
}

func (e *evaluator) findInMap(n, arg *source.Node) *source.Node {
	if arg.Kind != source.List || len(arg.Items) < 3 {
		return e.malformed(n)
	}
	args := e.args(arg, 3)
	if args == nil {
		return e.malformed(n)
	}
	at := e.mappings
	for _, key := range args[:3] {
		t, ok := scalar(key)
		s, known := t.Literal()
		if !ok || !known {
			return e.unknown(n, e.prefix+"Fn::FindInMap("+render(args[0])+", "+render(args[1])+", "+render(args[2])+")")
		}
		if at = member(at, s); at == nil {
			break
		}
	}
	if at != nil {
		return e.value(at)
	}
	if len(args) > 3 {
		if v := member(args[3], "DefaultValue"); v != nil {
			return v
		}
	}
	return e.malformed(n)
}

func (e *evaluator) importValue(n, arg *source.Node) *source.Node {
	v := e.value(arg)
	if v == nil {
		return e.malformed(n)
	}
	return unknownText(n, "Fn::ImportValue("+render(v)+")")
}

func (e *evaluator) base64(n, arg *source.Node) *source.Node {
	t, ok := scalar(e.value(arg))
	s, known := t.Literal()
	switch {
	case !ok:
		return e.malformed(n)
	case !known:
		return unknownText(n, "Fn::Base64("+t.String()+")")
	}
	return stringNode(n, symbol.Literal(base64.StdEncoding.EncodeToString([]byte(s))))
}

func (e *evaluator) zones(n, arg *source.Node) *source.Node {
	region := literal(e.value(arg))
	if region == "" {
		region = e.Region.Value.String()
	}
	return e.unknown(n, "Fn::GetAZs("+region+")")
}

func (e *evaluator) length(n, arg *source.Node) *source.Node {
	v := e.value(arg)
	if v == nil {
		return e.malformed(n)
	}
	items, whole := listItems(v)
	if !whole {
		return unknownText(n, "Fn::Length("+render(v)+")")
	}
	return &source.Node{Kind: source.Number, Text: symbol.Literal(strconv.Itoa(len(items))), Range: n.Range}
}

func (e *evaluator) toJSON(n, arg *source.Node) *source.Node {
	v := e.value(arg)
	if v == nil {
		return e.malformed(n)
	}
	t, ok := encode(v)
	if !ok {
		return unknownText(n, "Fn::ToJsonString("+render(v)+")")
	}
	return stringNode(n, t)
}

// encode writes a value as JSON; false if a part of it is of unknown shape.
func encode(n *source.Node) (symbol.Text, bool) {
	switch n.Kind {
	case source.Unknown:
		return symbol.Text{}, false
	case source.Null:
		return symbol.Literal("null"), true
	case source.Bool, source.Number:
		return n.Text, true
	case source.String:
		return quote(n.Text), true
	case source.List:
		parts := []symbol.Text{symbol.Literal("[")}
		for i, item := range n.Items {
			t, ok := encode(item)
			if !ok {
				return symbol.Text{}, false
			}
			if i > 0 {
				parts = append(parts, symbol.Literal(","))
			}
			parts = append(parts, t)
		}
		return symbol.Concat(append(parts, symbol.Literal("]"))...), true
	default:
		parts := []symbol.Text{symbol.Literal("{")}
		for i, m := range n.Members {
			t, ok := encode(m.Value)
			if !ok {
				return symbol.Text{}, false
			}
			if i > 0 {
				parts = append(parts, symbol.Literal(","))
			}
			parts = append(parts, quote(symbol.Literal(m.Name)), symbol.Literal(":"), t)
		}
		return symbol.Concat(append(parts, symbol.Literal("}"))...), true
	}
}

// choose evaluates Fn::If. Where the condition is not decided the value is what the
// two branches have in common.
func (e *evaluator) choose(n, arg *source.Node) *source.Node {
	if arg.Kind != source.List || len(arg.Items) != 3 {
		return e.malformed(n)
	}
	name := literal(arg.Items[0])
	if c := member(arg.Items[0], "Condition"); c != nil {
		name = literal(c)
	}
	if name == "" {
		return e.malformed(n)
	}
	switch e.truth(name) {
	case kleene.True:
		return e.value(arg.Items[1])
	case kleene.False:
		return e.value(arg.Items[2])
	default:
		return e.either(n, name, e.value(arg.Items[1]), e.value(arg.Items[2]))
	}
}

// either is one of two values.
func (e *evaluator) either(n *source.Node, condition string, a, b *source.Node) *source.Node {
	what := "if " + e.prefix + condition + " then " + render(a) + " else " + render(b)
	if a == nil || b == nil {
		return e.unknown(n, what)
	}
	s, aKnown := a.Text.Literal()
	t, bKnown := b.Text.Literal()
	switch {
	case render(a) == render(b) && a.Kind == b.Kind:
		return a
	case a.Kind != source.String || b.Kind != source.String:
		return e.unknown(n, what)
	case !aKnown || !bKnown:
		return unknownText(n, what)
	}
	i := 0
	for i < len(s) && i < len(t) && s[i] == t[i] && s[i] < 0x80 {
		i++
	}
	j := 0
	for j < len(s)-i && j < len(t)-i && s[len(s)-1-j] == t[len(t)-1-j] && s[len(s)-1-j] < 0x80 {
		j++
	}
	middle := symbol.Symbol{Name: what}
	if segments([]string{s[i : len(s)-j], t[i : len(t)-j]}) {
		middle.Class = symbol.Segment
	}
	return stringNode(n, symbol.Concat(symbol.Literal(s[:i]), middle.Text(), symbol.Literal(s[len(s)-j:])))
}

// dynamic references take a value from another service when the stack is made.
// (AWS page "Get values stored in other services using dynamic references".)
const dynamicReference = "{{resolve:"

func (e *evaluator) resolveDynamic(n *source.Node) *source.Node {
	t := n.Text
	if !strings.Contains(t.String(), dynamicReference) {
		return n
	}
	var parts []symbol.Text
	for {
		i := t.Index('{')
		if i < 0 {
			break
		}
		rest := t.Slice(i, t.Len())
		if !rest.HasPrefix(symbol.Literal(dynamicReference)) {
			parts = append(parts, t.Slice(0, i), symbol.Literal("{"))
			t = t.Slice(i+1, t.Len())
			continue
		}
		end := rest.Index('}')
		if end < 0 {
			break
		}
		parts = append(parts, t.Slice(0, i), named(strings.TrimPrefix(rest.Slice(0, end).String(), "{{")))
		after := rest.Slice(end+1, rest.Len())
		if after.HasPrefix(symbol.Literal("}")) {
			after = after.Slice(1, after.Len())
		}
		t = after
	}
	return stringNode(n, symbol.Concat(append(parts, t)...))
}

func (e *evaluator) condition(n, _ *source.Node) *source.Node {
	switch e.decide(n) {
	case kleene.True:
		return &source.Node{Kind: source.Bool, Text: symbol.Literal("true"), Range: n.Range}
	case kleene.False:
		return &source.Node{Kind: source.Bool, Text: symbol.Literal("false"), Range: n.Range}
	default:
		return e.unknown(n, fmt.Sprintf("%s(%s)", n.Members[0].Name, render(n.Members[0].Value)))
	}
}
