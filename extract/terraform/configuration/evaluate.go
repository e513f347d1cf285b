package configuration

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Plan is what an evaluation asks of the plan. Values are as JSON decodes them;
// those that must not be shown implement [Hidden].
type Plan interface {
	// Variable gives the value of a variable of the root module.
	Variable(name string) (value any, ok bool)
	// Instances are those of a block ("type.name", "data.type.name") in a module
	// instance ("module.a[0].module.b"), and false for a type of which the plan was
	// not kept.
	Instances(module, block string) ([]Instance, bool)
	// CallKeys are the instance keys of a module call: nil, string or int.
	CallKeys(module, call string) []any
}

// An Instance is a resource or data source in the plan.
type Instance interface {
	Address() string
	// Key is nil, a string or an int.
	Key() any
	// Values are those after the change; what Unknown marks is missing from them.
	Values() map[string]any
	Unknown() any
	// Sensitive marks values that must not be shown.
	Sensitive() any
	// Text is the text of an attribute that is known only after apply.
	Text(path string) symbol.Text
	// Deferred are the arguments of a data source that is read during apply, as far
	// as the plan knows them; nil for others.
	Deferred() *source.Node
}

// Hidden is a value that must not be shown, with the text that stands for it.
type Hidden interface{ Hidden() symbol.Text }

// An Evaluator evaluates one configuration with the values of one plan.
type Evaluator struct {
	source  *Source
	plan    Plan
	modules map[string]*module
	// parsed are the blocks of modules, by the paths of their folders.
	parsed    map[string]hclsyntax.Blocks
	frames    map[string]*frame
	functions map[string]function.Function
	symbols   symbols
	// templates counts the templates being rendered.
	templates int
	// trying is set while the configuration asks whether an expression fails.
	trying bool
	// count and seen number the symbols of values that are not known.
	count int
	seen  map[string]bool
}

// New returns the evaluator of a configuration with a plan.
func New(s *Source, p Plan) *Evaluator {
	e := &Evaluator{source: s, plan: p, modules: map[string]*module{}, parsed: map[string]hclsyntax.Blocks{}, frames: map[string]*frame{}, seen: map[string]bool{}}
	e.functions = e.table()
	return e
}

// A frame is one instance of a module.
type frame struct {
	*Evaluator
	mod    *module
	parent *frame
	// path is the address of the instance, key and call those of the call in parent.
	path, call string
	key        any
	memo       map[string]cty.Value
	busy       map[string]bool
	// each holds the each and count of the block an expression stands in.
	each map[string]cty.Value
}

// scopeName is the name under which contexts carry their frame; no reference has it.
const scopeName = "(frame)"

var frameType = cty.Capsule("frame", reflect.TypeFor[frame]())

// A Place says which instance of which block an expression belongs to.
type Place struct {
	// Calls are the module calls that lead to the instance, from the root.
	Calls []Call
	// Block is "type.name" or "data.type.name".
	Block string
	// Key is the instance key: nil, a string or an int.
	Key any
}

// A Call is one step into a module instance.
type Call struct {
	Name string
	Key  any
}

// module is the address of the module.
func (p Place) module() string {
	var names []string
	for _, c := range p.Calls {
		names = append(names, "module."+c.Name)
	}
	return strings.Join(names, ".")
}

// frame returns the frame of a module instance, nil if its source is not at hand.
func (e *Evaluator) frame(calls []Call) *frame {
	f := e.frames[""]
	if f == nil {
		f = e.newFrame(nil, e.load("", e.source.folders[""]), "", nil)
	}
	for _, c := range calls {
		if f = f.into(c.Name, c.Key); f == nil {
			return nil
		}
	}
	return f
}

func (e *Evaluator) newFrame(parent *frame, m *module, call string, key any) *frame {
	f := &frame{Evaluator: e, mod: m, parent: parent, call: call, key: key, memo: map[string]cty.Value{}, busy: map[string]bool{}}
	if parent != nil {
		f.path = join(parent.path, "module."+call+keyText(key))
	}
	e.frames[f.path] = f
	return f
}

func (f *frame) into(call string, key any) *frame {
	if known := f.frames[join(f.path, "module."+call+keyText(key))]; known != nil {
		return known
	}
	m := f.child(f.mod, call)
	if m == nil || strings.Count(m.name, ".") > maxCalls {
		return nil
	}
	return f.newFrame(f.root(), m, call, key)
}

// maxCalls bounds how deep modules are in modules: a damaged source may go in circles.
const maxCalls = 32

// root is the frame itself, without the each and count of a block.
func (f *frame) root() *frame { return f.frames[f.path] }

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}

func keyText(key any) string {
	switch k := key.(type) {
	case int:
		return "[" + strconv.Itoa(k) + "]"
	case string:
		return "[" + strconv.Quote(k) + "]"
	}
	return ""
}

func (f *frame) context() *hcl.EvalContext {
	return &hcl.EvalContext{
		Variables: map[string]cty.Value{scopeName: cty.CapsuleVal(frameType, f)},
		Functions: f.functions,
	}
}

// within is the frame with the each and count of an instance of a block.
func (f *frame) within(body *hclsyntax.Body, key any) *frame {
	out := *f
	out.each = map[string]cty.Value{}
	switch k := key.(type) {
	case int:
		out.each["count"] = cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(int64(k))})
	case string:
		value := cty.StringVal(k)
		if attr := body.Attributes["for_each"]; attr != nil {
			value = element(f.expansion(attr), k)
		}
		out.each["each"] = cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(k), "value": value})
	}
	return &out
}

// expansion is the value of the count or for_each of a block, evaluated once for all
// of its instances.
func (f *frame) expansion(attr *hclsyntax.Attribute) cty.Value {
	return f.once("expansion "+attr.SrcRange.String(), func(r *frame) cty.Value { return r.value(attr.Expr) })
}

// element is what each.value is for a key of for_each.
func element(v cty.Value, key string) cty.Value {
	v, marks := v.Unmark()
	switch t := v.Type(); {
	case !v.IsKnown() || v.IsNull():
	case t.IsSetType():
		return cty.StringVal(key).WithMarks(marks)
	case t.IsMapType() || t.IsObjectType():
		if one, ok := v.AsValueMap()[key]; ok {
			return one.WithMarks(marks)
		}
	}
	return unknown("each.value").WithMarks(marks)
}

// value evaluates an expression. What fails is unknown.
func (f *frame) value(x hclsyntax.Expression) cty.Value {
	return f.guarded(x, f.context())
}

// guarded evaluates an expression of its own. What fails is unknown; so is what makes the
// library panic, which it does on some values that a configuration should not hold.
func (e *Evaluator) guarded(x hclsyntax.Expression, ctx *hcl.EvalContext) (v cty.Value) {
	defer func(was bool) { e.trying = was }(e.trying)
	e.trying = false
	defer func() {
		if recover() != nil {
			r := rangeOf(x.Range())
			v = unknown("an expression that cannot be evaluated at " + r.File + ":" + r.Start.String())
		}
	}()
	v, diags := x.Value(ctx)
	if diags.HasErrors() {
		return unknown(problem(diags))
	}
	return v
}

// problem tells an error of HCL in few words: its place, its summary and the function that
// failed, since the detail may hold values that must not be shown.
func problem(diags hcl.Diagnostics) string {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		what := lower(d.Summary)
		if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
			what += " " + call.CalledFunctionName()
		}
		if d.Subject == nil {
			return what
		}
		r := rangeOf(*d.Subject)
		return what + " at " + r.File + ":" + r.Start.String()
	}
	return "an error"
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// once evaluates something of the module instance once; what leads back to itself is
// unknown.
func (f *frame) once(name string, evaluate func(root *frame) cty.Value) cty.Value {
	r := f.root()
	if v, ok := r.memo[name]; ok {
		return v
	}
	if r.busy[name] {
		return unknown("a reference that leads back to itself (" + join(r.path, name) + ")")
	}
	r.busy[name] = true
	v := evaluate(r)
	delete(r.busy, name)
	r.memo[name] = v
	return v
}

// resolve looks a reference up.
func (f *frame) resolve(t hcl.Traversal) (cty.Value, error) {
	names := make([]string, 0, len(t))
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, s.Name)
		case hcl.TraverseAttr:
			names = append(names, s.Name)
		default:
			names = append(names, "")
		}
	}
	name := func(i int) string {
		if i < len(names) {
			return names[i]
		}
		return ""
	}
	if f.mod.problem != "" {
		return absent(f.mod.problem), nil
	}
	switch names[0] {
	case "var":
		return f.rest(f.variable(name(1)), t, 2)
	case "local":
		attr := f.mod.locals[name(1)]
		if attr == nil {
			return unknown("local." + name(1)), nil
		}
		return f.rest(f.once("local."+name(1), func(r *frame) cty.Value { return r.value(attr.Expr) }), t, 2)
	case "each", "count":
		if v, ok := f.each[names[0]]; ok {
			return f.rest(v, t, 1)
		}
		return unknown(names[0] + "." + name(1)), nil
	case "path":
		switch name(1) {
		case "module":
			return cty.StringVal(f.mod.folder.path), nil
		case "root":
			return cty.StringVal("."), nil
		}
		return f.stand("path." + name(1)), nil
	case "terraform":
		return f.stand("terraform." + name(1)), nil
	case "self":
		return unknown("self." + name(1)), nil
	case "module":
		return f.output(t)
	case "data":
		return f.resource("data."+name(1)+"."+name(2), t, 3)
	}
	return f.resource(names[0]+"."+name(1), t, 2)
}

// stand is the string that stands for something of which only the name is known.
func (f *frame) stand(name string) cty.Value {
	return cty.StringVal(f.symbols.encode(symbol.Symbol{Name: name}.Text()))
}

// rest walks on from a value along the steps of a reference that are left.
func (f *frame) rest(v cty.Value, t hcl.Traversal, from int) (cty.Value, error) {
	if from >= len(t) {
		return v, nil
	}
	out, diags := t[from:].TraverseRel(v)
	if diags.HasErrors() {
		return cty.DynamicVal, fmt.Errorf("%s: %s", diags[0].Summary, diags[0].Detail)
	}
	return out, nil
}

// variable is the value of an input variable.
func (f *frame) variable(name string) cty.Value {
	return f.once("var."+name, func(r *frame) cty.Value {
		block := r.mod.variables[name]
		if block == nil {
			return unknown("var." + name)
		}
		body := block.Body
		v, set := r.argument(name)
		typ, defaults := cty.DynamicPseudoType, (*typeexpr.Defaults)(nil)
		if attr := body.Attributes["type"]; attr != nil {
			var diags hcl.Diagnostics
			if typ, defaults, diags = typeexpr.TypeConstraintWithDefaults(plain(attr.Expr)); diags.HasErrors() {
				return unknown("var." + name)
			}
		}
		nullable := body.Attributes["nullable"] == nil || !r.isFalse(body.Attributes["nullable"])
		if attr := body.Attributes["default"]; attr != nil {
			// A plan in JSON gives the default too, but not where it is written.
			def := r.value(attr.Expr)
			if !set || v.IsNull() && !nullable || r.parent == nil && equalUnmarked(v, def) {
				v, set = def, true
			}
		}
		if !set {
			return unknown("var." + name)
		}
		if defaults != nil && !v.IsNull() && v.IsKnown() {
			v = applyDefaults(defaults, v)
		}
		out, err := convert.Convert(v, typ.WithoutOptionalAttributesDeep())
		if err != nil {
			out = unknown("var." + name).WithMarks(onlyKept(deepMarks(v)))
		}
		if attr := body.Attributes["sensitive"]; attr != nil && !r.isFalse(attr) {
			out = out.Mark(sensitiveMark{})
		}
		return out
	})
}

func equalUnmarked(a, b cty.Value) bool {
	a, _ = a.UnmarkDeep()
	b, _ = b.UnmarkDeep()
	return a.RawEquals(b)
}

// applyDefaults fills in the optional attributes; HCL's own code for it takes no
// marked values, so that marks inside are kept beside.
func applyDefaults(defaults *typeexpr.Defaults, v cty.Value) cty.Value {
	bare, marks := v.UnmarkDeepWithPaths()
	out := defaults.Apply(bare)
	return out.MarkWithPaths(marks)
}

func (f *frame) isFalse(attr *hclsyntax.Attribute) bool {
	v, _ := f.value(attr.Expr).Unmark()
	return v.IsKnown() && !v.IsNull() && v.Type() == cty.Bool && v.False()
}

// argument is the value given for a variable: by the module call or, at the root, by
// the plan.
func (f *frame) argument(name string) (v cty.Value, set bool) {
	if f.parent == nil {
		value, ok := f.plan.Variable(name)
		if !ok {
			return cty.NilVal, false
		}
		return f.fromJSON(value), true
	}
	call := f.parent.mod.calls[f.call]
	attr := call.Body.Attributes[name]
	if attr == nil {
		return cty.NilVal, false
	}
	return f.parent.within(call.Body, f.key).value(attr.Expr), true
}

// output is what a reference to a module call means.
func (f *frame) output(t hcl.Traversal) (cty.Value, error) {
	call := ""
	if len(t) > 1 {
		if attr, ok := t[1].(hcl.TraverseAttr); ok {
			call = attr.Name
		}
	}
	block := f.mod.calls[call]
	if block == nil {
		return unknown("module." + call), nil
	}
	from, keys := 2, f.keys(block.Body, func() []any { return f.plan.CallKeys(f.path, call) })
	if len(t) > 2 && !slices.Equal(keys.list, []any{nil}) {
		if index, ok := t[2].(hcl.TraverseIndex); ok {
			key := keyOf(index.Key)
			if !slices.Contains(keys.list, key) {
				return cty.DynamicVal, fmt.Errorf("module.%s has no instance %s", call, keyText(key))
			}
			keys = instanceKeys{list: []any{key}, one: true}
			from = 3
		}
	}
	if keys.one && len(t) > from {
		if attr, ok := t[from].(hcl.TraverseAttr); ok {
			v, err := f.outputOf(call, keys.list[0], attr.Name)
			if err != nil {
				return cty.DynamicVal, err
			}
			return f.rest(v, t, from+1)
		}
	}
	all := f.once("module "+call, func(r *frame) cty.Value {
		return keys.collect(func(key any) cty.Value { return r.outputs(call, key) })
	})
	return f.rest(all, t, from)
}

// outputs is an object of all outputs of a module instance.
func (f *frame) outputs(call string, key any) cty.Value {
	child := f.into(call, key)
	if child == nil {
		return absent("module." + call + ", whose source is not at hand")
	}
	values := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(child.mod.outputs)) {
		v, err := f.outputOf(call, key, name)
		if err != nil {
			v = unknown("module." + call + "." + name)
		}
		values[name] = v
	}
	return cty.ObjectVal(values)
}

func (f *frame) outputOf(call string, key any, name string) (cty.Value, error) {
	child := f.into(call, key)
	if child == nil {
		return absent("module." + call + ", whose source is not at hand"), nil
	}
	block := child.mod.outputs[name]
	if block == nil {
		return cty.DynamicVal, fmt.Errorf("module.%s has no output %s", call, name)
	}
	return child.once("output."+name, func(r *frame) cty.Value {
		attr := block.Body.Attributes["value"]
		if attr == nil {
			return cty.NullVal(cty.DynamicPseudoType)
		}
		v := r.value(attr.Expr)
		if attr := block.Body.Attributes["sensitive"]; attr != nil && !r.isFalse(attr) {
			v = v.Mark(sensitiveMark{})
		}
		return v
	}), nil
}

// instanceKeys are those of a block.
type instanceKeys struct {
	list []any
	// one is set for a block without count and for_each; counted and named otherwise.
	one, named bool
}

// keys evaluates the instance keys of a block; what the plan knows comes first.
func (f *frame) keys(body *hclsyntax.Body, plan func() []any) instanceKeys {
	count, each := body.Attributes["count"], body.Attributes["for_each"]
	if count == nil && each == nil {
		return instanceKeys{list: []any{nil}, one: true}
	}
	out := instanceKeys{named: each != nil}
	x := each
	if x == nil {
		x = count
	}
	v, _ := f.expansion(x).Unmark()
	switch {
	case !v.IsKnown() || v.IsNull():
		out.list = plan()
		out.list = slices.DeleteFunc(out.list, func(key any) bool { return key == nil })
	case each == nil:
		n, err := convert.Convert(v, cty.Number)
		if err != nil {
			break
		}
		i, _ := n.AsBigFloat().Int64()
		for k := range min(int(i), maxInstances) {
			out.list = append(out.list, k)
		}
	case v.Type().IsMapType() || v.Type().IsObjectType():
		for _, key := range slices.Sorted(maps.Keys(v.AsValueMap())) {
			out.list = append(out.list, key)
		}
	case v.CanIterateElements():
		for _, item := range v.AsValueSlice() {
			if item, _ = item.Unmark(); isString(item) {
				out.list = append(out.list, item.AsString())
			}
		}
	}
	return out
}

// maxInstances bounds the instances of one block.
const maxInstances = 100_000

// collect is the value of a reference to a block: an object for one instance, else a
// tuple or an object of them.
func (k instanceKeys) collect(value func(key any) cty.Value) cty.Value {
	if k.one {
		return value(k.list[0])
	}
	if k.named {
		out := map[string]cty.Value{}
		for _, key := range k.list {
			if name, ok := key.(string); ok {
				out[name] = value(key)
			}
		}
		return cty.ObjectVal(out)
	}
	out := []cty.Value{}
	for _, key := range k.list {
		out = append(out, value(key))
	}
	return cty.TupleVal(out)
}

func keyOf(v cty.Value) any {
	v, _ = v.Unmark()
	switch {
	case !v.IsKnown() || v.IsNull():
	case v.Type() == cty.String:
		return v.AsString()
	case v.Type() == cty.Number:
		i, _ := v.AsBigFloat().Int64()
		return int(i)
	}
	return nil
}

func isString(v cty.Value) bool {
	return v.IsKnown() && !v.IsNull() && v.Type() == cty.String
}

// plain takes the instrumentation off an expression that is read and not evaluated:
// a type constraint.
func plain(x hclsyntax.Expression) hclsyntax.Expression {
	switch x := x.(type) {
	case *reference:
		return x.ScopeTraversalExpr
	case *placed:
		for i := range x.Items {
			x.Items[i].ValueExpr = plain(x.Items[i].ValueExpr)
		}
		return x.ObjectConsExpr
	case *hclsyntax.FunctionCallExpr:
		for i := range x.Args {
			x.Args[i] = plain(x.Args[i])
		}
	case *listed:
		for i := range x.Exprs {
			x.Exprs[i] = plain(x.Exprs[i])
		}
		return x.TupleConsExpr
	}
	return x
}

// resource is what a reference to a resource or data source means; the steps from
// on are below its name.
func (f *frame) resource(block string, t hcl.Traversal, from int) (cty.Value, error) {
	instances, kept := f.plan.Instances(f.path, block)
	if f.mod.blocks[block] == nil {
		return unknown(join(f.path, block)), nil
	}
	body := f.mod.blocks[block].Body
	inPlan := func() []any {
		var list []any
		for _, in := range instances {
			list = append(list, in.Key())
		}
		sortKeys(list)
		return list
	}
	keys := f.keys(body, inPlan)
	if kept && !keys.one {
		keys.list = inPlan() // the plan knows which instances there are
	}
	find := func(key any) Instance {
		for _, in := range instances {
			if in.Key() == key {
				return in
			}
		}
		return nil
	}
	if len(t) > from && !keys.one {
		if index, ok := t[from].(hcl.TraverseIndex); ok {
			key := keyOf(index.Key)
			if key == nil || !slices.Contains(keys.list, key) {
				return cty.DynamicVal, fmt.Errorf("%s has no instance %s", join(f.path, block), keyText(key))
			}
			return f.attribute(find(key), block, key, t, from+1)
		}
	}
	if keys.one {
		return f.attribute(find(nil), block, nil, t, from)
	}
	all := f.once("block "+block, func(r *frame) cty.Value {
		byKey := map[any]Instance{}
		for _, in := range instances {
			byKey[in.Key()] = in
		}
		return keys.collect(func(key any) cty.Value { return r.object(byKey[key], block, key) })
	})
	return f.rest(all, t, from)
}

func sortKeys(keys []any) {
	slices.SortFunc(keys, func(a, b any) int {
		i, isInt := a.(int)
		j, bothInt := b.(int)
		if isInt && bothInt {
			return i - j
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
}

// attribute is what a reference to one instance, or to an attribute of it, means.
func (f *frame) attribute(in Instance, block string, key any, t hcl.Traversal, from int) (cty.Value, error) {
	address := join(f.path, block) + keyText(key)
	if len(t) <= from {
		return f.object(in, block, key), nil
	}
	attr, ok := t[from].(hcl.TraverseAttr)
	if !ok {
		return f.rest(f.object(in, block, key), t, from)
	}
	if in == nil {
		return f.late(address, pathOf(t[from:]), nil), nil
	}
	value, known := in.Values()[attr.Name]
	mark := part(in.Unknown(), attr.Name)
	if doc, ok := f.document(in, block, attr.Name); ok {
		return f.rest(doc, t, from+1)
	}
	if !known || mark == true {
		return f.late(address, pathOf(t[from:]), in), nil
	}
	v := f.withLate(value, mark, part(in.Sensitive(), attr.Name), in, attr.Name)
	out, err := f.rest(v, t, from+1)
	if err != nil && marked(mark) {
		return f.late(address, pathOf(t[from:]), in), nil
	}
	return out, err
}

// late is an attribute that is known only after apply.
func (f *frame) late(address, path string, in Instance) cty.Value {
	last := path[strings.LastIndexByte(path, '.')+1:]
	if !isText(last) {
		return unknown(address + "." + path)
	}
	if in != nil {
		return cty.StringVal(f.symbols.encode(in.Text(path)))
	}
	s := symbol.Symbol{Name: address + "." + path}
	typ := address[len(f.path):]
	if strings.HasPrefix(strings.TrimPrefix(typ, "."), "random_") && slices.Contains(generated, last) {
		s.Class, s.Unique = symbol.Segment, true
	}
	return cty.StringVal(f.symbols.encode(s.Text()))
}

// generated are the attributes of the provider random that are made to differ from
// all others, and hold letters, digits and hyphens.
var generated = []string{"hex", "id", "dec", "b64_url"}

// texts are the names of attributes that hold one string; so do those that end in
// one of textEndings.
var texts = []string{
	"arn", "id", "name", "url", "bucket", "hex", "json", "rendered", "value", "content", "path", "domain", "endpoint", "region",
	"email", "fqdn", "dns_suffix", "partition", "issuer", "body", "stdout", "keepers_id", "unique_id", "account", "role", "user", "group", "policy",
}

var textEndings = []string{"_arn", "_id", "_name", "_url", "_account", "_domain", "_endpoint", "_prefix", "_document", "_region", "_json"}

func isText(attr string) bool {
	return slices.Contains(texts, attr) || slices.ContainsFunc(textEndings, func(end string) bool { return strings.HasSuffix(attr, end) })
}

// pathOf writes the steps of a reference as references are written: a[0].b.
func pathOf(t hcl.Traversal) string {
	path := ""
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			path = join(path, s.Name)
		case hcl.TraverseIndex:
			path += keyText(keyOf(s.Key))
		}
	}
	return path
}

// object is an instance with all its attributes.
func (f *frame) object(in Instance, block string, key any) cty.Value {
	address := join(f.path, block) + keyText(key)
	if in == nil {
		return unknown(address)
	}
	return f.once("object "+address, func(r *frame) cty.Value {
		values := map[string]cty.Value{}
		for _, name := range slices.Sorted(maps.Keys(in.Values())) {
			values[name] = r.withLate(in.Values()[name], part(in.Unknown(), name), part(in.Sensitive(), name), in, name)
		}
		if late, ok := in.Unknown().(map[string]any); ok {
			for name, mark := range late {
				if mark == true {
					values[name] = r.late(address, name, in)
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if doc, ok := r.document(in, block, name); ok {
				values[name] = doc
			}
		}
		return cty.ObjectVal(values)
	})
}

// withLate turns a value of the plan into one of HCL; what is marked is late.
func (f *frame) withLate(v, late, sensitive any, in Instance, path string) cty.Value {
	if late == true {
		return f.late(in.Address(), path, in)
	}
	var out cty.Value
	switch v := v.(type) {
	case map[string]any:
		values := map[string]cty.Value{}
		for name, item := range v {
			values[name] = f.withLate(item, part(late, name), part(sensitive, name), in, path+"."+name)
		}
		if marks, ok := late.(map[string]any); ok {
			for name, mark := range marks {
				if _, known := v[name]; !known && mark == true {
					values[name] = f.late(in.Address(), path+"."+name, in)
				}
			}
		}
		out = cty.ObjectVal(values)
	case []any:
		items := []cty.Value{}
		for i, item := range v {
			items = append(items, f.withLate(item, index(late, i), index(sensitive, i), in, path+keyText(i)))
		}
		out = cty.TupleVal(items)
	default:
		out = f.fromJSON(v)
	}
	if sensitive == true {
		out = out.Mark(sensitiveMark{})
	}
	return out
}

// fromJSON turns a JSON value into one of HCL.
func (f *frame) fromJSON(v any) cty.Value {
	switch v := v.(type) {
	case nil:
		return cty.NullVal(cty.DynamicPseudoType)
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case float64:
		return cty.NumberFloatVal(v)
	case json.Number:
		n, err := cty.ParseNumberVal(v.String())
		if err != nil {
			return cty.DynamicVal
		}
		return n
	case Hidden:
		return cty.StringVal(f.symbols.encode(v.Hidden())).Mark(sensitiveMark{})
	case []any:
		items := []cty.Value{}
		for _, item := range v {
			items = append(items, f.fromJSON(item))
		}
		return cty.TupleVal(items)
	case map[string]any:
		values := map[string]cty.Value{}
		for name, item := range v {
			values[name] = f.fromJSON(item)
		}
		return cty.ObjectVal(values)
	}
	return cty.DynamicVal
}

func part(v any, name string) any {
	if v == true {
		return true
	}
	m, _ := v.(map[string]any)
	return m[name]
}

func index(v any, i int) any {
	if v == true {
		return true
	}
	if list, ok := v.([]any); ok && i < len(list) {
		return list[i]
	}
	return nil
}

func marked(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		return slices.ContainsFunc(v, marked)
	case map[string]any:
		for _, item := range v {
			if marked(item) {
				return true
			}
		}
	}
	return false
}
