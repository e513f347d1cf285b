package configuration

import (
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-cty-funcs/cidr"
	"github.com/hashicorp/go-cty-funcs/collection"
	"github.com/hashicorp/go-cty-funcs/crypto"
	"github.com/hashicorp/go-cty-funcs/encoding"
	"github.com/hashicorp/go-cty-funcs/uuid"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// carrying are functions that symbols in their arguments come out of as they went in:
// what these do hangs on other values, or fails.
var carrying = map[string]function.Function{
	"abs":             stdlib.AbsoluteFunc,
	"alltrue":         simple(allTrue, cty.List(cty.Bool)),
	"anytrue":         simple(anyTrue, cty.List(cty.Bool)),
	"ceil":            stdlib.CeilFunc,
	"chomp":           stdlib.ChompFunc,
	"chunklist":       stdlib.ChunklistFunc,
	"coalescelist":    stdlib.CoalesceListFunc,
	"concat":          stdlib.ConcatFunc,
	"element":         stdlib.ElementFunc,
	"ephemeralasnull": simple(first, cty.DynamicPseudoType),
	"flatten":         simple(flatten, cty.DynamicPseudoType),
	"floor":           stdlib.FloorFunc,
	"indent":          stdlib.IndentFunc,
	"join":            stdlib.JoinFunc,
	"keys":            stdlib.KeysFunc,
	"log":             stdlib.LogFunc,
	"max":             stdlib.MaxFunc,
	"merge":           stdlib.MergeFunc,
	"min":             stdlib.MinFunc,
	"one":             simple(one, cty.DynamicPseudoType),
	"pow":             stdlib.PowFunc,
	"range":           stdlib.RangeFunc,
	"reverse":         stdlib.ReverseListFunc,
	"setproduct":      stdlib.SetProductFunc,
	"signum":          stdlib.SignumFunc,
	"slice":           stdlib.SliceFunc,
	"sum":             simple(sum, cty.List(cty.Number)),
	"tobool":          stdlib.MakeToFunc(cty.Bool),
	"tolist":          stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap":           stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"tonumber":        stdlib.MakeToFunc(cty.Number),
	"tostring":        stdlib.MakeToFunc(cty.String),
	"transpose":       simple(transpose, cty.Map(cty.List(cty.String))),
	"trimspace":       stdlib.TrimSpaceFunc,
	"values":          stdlib.ValuesFunc,
	"zipmap":          stdlib.ZipmapFunc,
}

// inspecting are functions that look at strings: of a symbol they tell nothing.
var inspecting = map[string]function.Function{
	"base64decode":    encoding.Base64DecodeFunc,
	"base64encode":    encoding.Base64EncodeFunc,
	"basename":        simple(text1(path.Base), cty.String),
	"cidrhost":        cidr.HostFunc,
	"cidrnetmask":     cidr.NetmaskFunc,
	"cidrsubnet":      cidr.SubnetFunc,
	"cidrsubnets":     cidr.SubnetsFunc,
	"csvdecode":       stdlib.CSVDecodeFunc,
	"dirname":         simple(text1(path.Dir), cty.String),
	"formatdate":      stdlib.FormatDateFunc,
	"index":           simple(indexOf, cty.DynamicPseudoType, cty.DynamicPseudoType),
	"lower":           stdlib.LowerFunc,
	"matchkeys":       simple(matchKeys, cty.List(cty.DynamicPseudoType), cty.List(cty.DynamicPseudoType), cty.List(cty.DynamicPseudoType)),
	"md5":             crypto.Md5Func,
	"parseint":        stdlib.ParseIntFunc,
	"regex":           stdlib.RegexFunc,
	"regexall":        stdlib.RegexAllFunc,
	"setintersection": stdlib.SetIntersectionFunc,
	"setsubtract":     stdlib.SetSubtractFunc,
	"sha1":            crypto.Sha1Func,
	"sha256":          crypto.Sha256Func,
	"sha512":          crypto.Sha512Func,
	"strcontains":     simple(text2(strings.Contains), cty.String, cty.String),
	"strrev":          stdlib.ReverseFunc,
	"substr":          stdlib.SubstrFunc,
	"timeadd":         stdlib.TimeAddFunc,
	"timecmp":         simple(timeCmp, cty.String, cty.String),
	"title":           stdlib.TitleFunc,
	"trim":            stdlib.TrimFunc,
	"upper":           stdlib.UpperFunc,
	"urlencode":       encoding.URLEncodeFunc,
	"uuidv5":          uuid.V5Func,
	"yamlencode":      ctyyaml.YAMLEncodeFunc,
}

// table is the functions of the Terraform language that are evaluated. Others, those
// of providers and those that give another value each time among them, are unknown.
func (e *Evaluator) table() map[string]function.Function {
	table := map[string]function.Function{
		"can":            e.can(),
		"file":           e.file(),
		"jsondecode":     e.jsonDecode(),
		"jsonencode":     e.jsonEncode(),
		"templatefile":   e.templateFile(),
		"templatestring": e.templateString(),
		"try":            e.try(),
		"sensitive":      marking(func(v cty.Value) cty.Value { return v.Mark(sensitiveMark{}) }),
		// Whether a value may be shown stays the decision of where it comes from.
		"nonsensitive": marking(func(v cty.Value) cty.Value { return v }),
	}
	for name, f := range carrying {
		table[name] = e.wrap(name, f, nil)
	}
	for name, f := range inspecting {
		table[name] = e.wrap(name, f, holdsAny)
	}
	table["coalesce"] = e.wrap("coalesce", collection.CoalesceFunc, func(args []cty.Value) bool {
		return len(args) > 1 && slices.ContainsFunc(args[:len(args)-1], e.mayBeEmpty)
	})
	table["compact"] = e.wrap("compact", stdlib.CompactFunc, func(args []cty.Value) bool { return slices.ContainsFunc(items(args), e.mayBeEmpty) })
	table["distinct"] = e.wrap("distinct", stdlib.DistinctFunc, e.mayRepeat)
	table["setunion"] = e.wrap("setunion", stdlib.SetUnionFunc, e.mayRepeat)
	table["sort"] = e.wrap("sort", stdlib.SortFunc, func(args []cty.Value) bool { return len(items(args)) > 1 })
	table["toset"] = e.wrap("toset", stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), e.mayRepeat)
	table["contains"] = e.wrap("contains", simple(e.contains, cty.DynamicPseudoType, cty.DynamicPseudoType), nil)
	table["endswith"] = e.wrap("endswith", simple(e.affix(false), cty.String, cty.String), nil)
	table["format"] = e.wrap("format", stdlib.FormatFunc, verbs)
	table["formatlist"] = e.wrap("formatlist", stdlib.FormatListFunc, verbs)
	table["length"] = e.wrap("length", simple(length, cty.DynamicPseudoType), func(args []cty.Value) bool {
		return len(args) == 1 && (hasSymbolicKey(args[0]) ||
			!args[0].Type().IsTupleType() && !args[0].Type().IsObjectType() && !args[0].Type().IsListType() && !args[0].Type().IsMapType() && holdsAny(args))
	})
	table["lookup"] = e.wrap("lookup", lookup, func(args []cty.Value) bool {
		return len(args) > 1 && (holdsSymbol(args[1]) || hasSymbolicKey(args[0]))
	})
	table["replace"] = e.wrap("replace", simple(replace, cty.String, cty.String, cty.String), func(args []cty.Value) bool {
		return len(args) > 1 && (holdsSymbol(args[0]) || holdsSymbol(args[1]))
	})
	table["split"] = e.wrap("split", stdlib.SplitFunc, func(args []cty.Value) bool { return len(args) == 2 && !e.separates(args[0], args[1]) })
	table["startswith"] = e.wrap("startswith", simple(e.affix(true), cty.String, cty.String), nil)
	table["trimprefix"] = e.wrap("trimprefix", stdlib.TrimPrefixFunc, func(args []cty.Value) bool { return len(args) == 2 && !e.decided(args[0], args[1], true) })
	table["yamldecode"] = e.wrap("yamldecode", ctyyaml.YAMLDecodeFunc, func(args []cty.Value) bool { return slices.ContainsFunc(args, e.wholly) })
	table["trimsuffix"] = e.wrap("trimsuffix", stdlib.TrimSuffixFunc, func(args []cty.Value) bool { return len(args) == 2 && !e.decided(args[0], args[1], false) })
	return table
}

// wrap makes of a function one that takes symbols: where blind says that it cannot
// see through those in its arguments, the outcome is unknown.
func (e *Evaluator) wrap(name string, f function.Function, blind func(args []cty.Value) bool) function.Function {
	return raw(func(args []cty.Value) (cty.Value, error) {
		for i, arg := range args {
			want := cty.DynamicPseudoType
			switch params := f.Params(); {
			case i < len(params):
				want = params[i].Type
			case f.VarParam() != nil:
				want = f.VarParam().Type
			}
			converted, err := convert.Convert(arg, want)
			if err != nil {
				if !holdsSymbol(arg) {
					return cty.DynamicVal, function.NewArgError(i, err)
				}
				return e.opaque(name, args), nil // a symbol may be a number or a boolean
			}
			args[i] = converted
		}
		if blind != nil && holdsAny(args) && blind(args) {
			return e.opaque(name, args), nil
		}
		v, err := f.Call(args)
		if err == nil && tooLarge(v) {
			return cty.DynamicVal, errTooLarge
		}
		if err == nil && !v.IsKnown() {
			for _, arg := range args {
				v = v.WithMarks(onlyKept(deepMarks(arg)))
			}
		}
		return v, err
	})
}

// What an expression makes is bounded: a configuration can double a value time and
// again.
const (
	maxText  = 1 << 20
	maxItems = 1 << 16
)

var errTooLarge = errors.New("the value is too large to be a policy or part of one")

func tooLarge(v cty.Value) bool {
	v = unmark(v)
	if isString(v) {
		return len(v.AsString()) > maxText
	}
	return v.IsKnown() && !v.IsNull() && v.CanIterateElements() && v.LengthInt() > maxItems
}

// opaque is the outcome of a function that a symbol keeps from being evaluated.
func (e *Evaluator) opaque(name string, args []cty.Value) cty.Value {
	var shown []string
	marks := cty.ValueMarks{}
	for _, arg := range args {
		for m := range onlyKept(deepMarks(arg)) {
			marks[m] = struct{}{}
		}
		if arg, _ := arg.UnmarkDeep(); isString(arg) {
			shown = append(shown, e.symbols.words(arg.AsString()))
		} else {
			shown = append(shown, "…")
		}
	}
	if _, sensitive := marks[sensitiveMark{}]; sensitive {
		shown = []string{"(sensitive)"}
	}
	return unknown(name + "(" + strings.Join(shown, ", ") + ")").WithMarks(marks)
}

// raw is a function that sees its arguments as they are, with marks and unknowns.
func raw(f func(args []cty.Value) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "arguments", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true},
		Type:     function.StaticReturnType(cty.DynamicPseudoType),
		Impl:     func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f(slices.Clone(args)) },
	})
}

// simple is a function of known arguments of some types; null is passed on.
func simple(f func(args []cty.Value) (cty.Value, error), types ...cty.Type) function.Function {
	var params []function.Parameter
	for _, t := range types {
		params = append(params, function.Parameter{Name: "argument", Type: t, AllowNull: t == cty.DynamicPseudoType, AllowMarked: true})
	}
	return function.New(&function.Spec{
		Params: params,
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			marks := cty.ValueMarks{}
			bare := make([]cty.Value, len(args))
			for i, arg := range args {
				var own cty.ValueMarks
				bare[i], own = arg.Unmark()
				for m := range own {
					marks[m] = struct{}{}
				}
				if !bare[i].IsKnown() {
					return cty.DynamicVal.WithMarks(marks), nil
				}
			}
			v, err := f(bare)
			if err != nil {
				return cty.DynamicVal, err
			}
			return v.WithMarks(onlyKept(marks)), nil
		},
	})
}

func marking(f func(v cty.Value) cty.Value) function.Function {
	return raw(func(args []cty.Value) (cty.Value, error) {
		if len(args) != 1 {
			return cty.DynamicVal, errors.New("one argument is required")
		}
		return f(args[0]), nil
	})
}

func holdsAny(args []cty.Value) bool { return slices.ContainsFunc(args, holdsSymbol) }

// verbs reports whether a format does more with its arguments than to put them in.
func verbs(args []cty.Value) bool {
	format := unmark(args[0])
	if !isString(format) || symbolic(format.AsString()) {
		return true
	}
	text := strings.NewReplacer("%%", "", "%s", "", "%v", "").Replace(format.AsString())
	return strings.Contains(text, "%")
}

func length(args []cty.Value) (cty.Value, error) {
	if isString(args[0]) {
		return stdlib.Strlen(args[0])
	}
	if args[0].Type().IsObjectType() {
		return cty.NumberIntVal(int64(args[0].LengthInt())), nil
	}
	return stdlib.Length(args[0])
}

var lookup = raw(func(args []cty.Value) (cty.Value, error) {
	if len(args) == 2 {
		key := unmark(args[1])
		if of := unmark(args[0]).Type(); of.IsObjectType() && isString(key) && of.HasAttribute(key.AsString()) {
			return args[0].GetAttr(key.AsString()), nil
		}
		return stdlib.IndexFunc.Call(args)
	}
	return stdlib.LookupFunc.Call(args)
})

// items are the elements of lists and sets.
func items(lists []cty.Value) []cty.Value {
	var out []cty.Value
	for _, v := range lists {
		if v, _ = v.UnmarkDeep(); v.IsKnown() && !v.IsNull() && v.CanIterateElements() {
			out = append(out, v.AsValueSlice()...)
		}
	}
	return out
}

// wholly reports whether a string has nothing but symbols.
func (e *Evaluator) wholly(v cty.Value) bool {
	v = unmark(v)
	if !isString(v) {
		return false
	}
	for literal := range e.symbols.decode(v.AsString()).Parts() {
		if strings.TrimSpace(literal) != "" {
			return false
		}
	}
	return true
}

// mayBeEmpty reports whether a symbol may be the empty string.
func (e *Evaluator) mayBeEmpty(v cty.Value) bool {
	v = unmark(v)
	return isString(v) && symbolic(v.AsString()) && !e.named(v) && symbol.Equal(e.symbols.decode(v.AsString()), symbol.Text{}) != kleene.False
}

// maxCompared bounds how many elements are compared with each other.
const maxCompared = 1000

// mayRepeat reports whether nobody knows if two elements of lists are one.
func (e *Evaluator) mayRepeat(args []cty.Value) bool {
	all := items(args)
	if len(all) > maxCompared {
		return true
	}
	for i, a := range all {
		if slices.ContainsFunc(all[:i], func(b cty.Value) bool { return e.same(a, b) == kleene.Unknown }) {
			return true
		}
	}
	return false
}

// named reports whether a value is wholly an attribute that every resource of its type
// has: an identifier.
func (e *Evaluator) named(v cty.Value) bool {
	name := e.symbols.words(v.AsString())
	name = name[strings.LastIndexByte(name, '.')+1:]
	return name == "id" || name == "arn" || name == "name" || name == "url" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_arn") || strings.HasSuffix(name, "_name")
}

// replace takes a substring between slashes for a regular expression.
func replace(args []cty.Value) (cty.Value, error) {
	if sub := args[1].AsString(); len(sub) > 1 && sub[0] == '/' && sub[len(sub)-1] == '/' {
		return stdlib.RegexReplace(args[0], cty.StringVal(sub[1:len(sub)-1]), args[2])
	}
	return stdlib.Replace(args[0], args[1], args[2])
}

// flatten keeps the marks of the items, which tell where they are written.
func flatten(args []cty.Value) (cty.Value, error) {
	if args[0].IsNull() || !args[0].CanIterateElements() || args[0].Type().IsMapType() || args[0].Type().IsObjectType() {
		return cty.DynamicVal, errors.New("can only flatten lists, sets and tuples")
	}
	items, marks, known := []cty.Value{}, cty.ValueMarks{}, true
	var visit func(v cty.Value)
	visit = func(v cty.Value) {
		for it := v.ElementIterator(); it.Next(); {
			_, item := it.Element()
			bare, own := item.Unmark()
			isList := bare.Type().IsListType() || bare.Type().IsSetType() || bare.Type().IsTupleType()
			switch {
			case !bare.IsKnown() && (isList || bare.Type() == cty.DynamicPseudoType):
				known = false // it may be a list of any length
				fallthrough
			case isList && bare.IsKnown() && !bare.IsNull():
				for m := range onlyKept(own) {
					marks[m] = struct{}{}
				}
				if bare.IsKnown() {
					visit(bare)
				}
			default:
				items = append(items, item)
			}
		}
	}
	visit(args[0])
	if !known {
		return cty.DynamicVal.WithMarks(marks), nil
	}
	return cty.TupleVal(items).WithMarks(marks), nil
}

func first(args []cty.Value) (cty.Value, error) { return args[0], nil }

func one(args []cty.Value) (cty.Value, error) {
	v := args[0]
	if v.IsNull() || !v.CanIterateElements() || v.Type().IsMapType() || v.Type().IsObjectType() {
		return cty.DynamicVal, errors.New("must be a list, set or tuple with at most one element")
	}
	switch v.LengthInt() {
	case 0:
		return cty.NullVal(cty.DynamicPseudoType), nil
	case 1:
		return v.AsValueSlice()[0], nil
	}
	return cty.DynamicVal, errors.New("must be a list, set or tuple with at most one element")
}

func allTrue(args []cty.Value) (cty.Value, error) { return fold(args[0], true) }

func anyTrue(args []cty.Value) (cty.Value, error) { return fold(args[0], false) }

// fold is the end of a conjunction that starts with true, or a disjunction with false.
func fold(list cty.Value, start bool) (cty.Value, error) {
	out := cty.BoolVal(start)
	for _, v := range list.AsValueSlice() {
		v, marks := v.Unmark()
		switch {
		case v.IsNull():
			v = cty.False
		case !v.IsKnown():
			out = cty.UnknownVal(cty.Bool).WithMarks(marks)
			continue
		}
		if v.True() != start {
			return cty.BoolVal(!start).WithMarks(marks), nil
		}
		out = out.WithMarks(marks)
	}
	return out, nil
}

func sum(args []cty.Value) (cty.Value, error) {
	out := cty.Zero
	for _, v := range args[0].AsValueSlice() {
		if v.IsNull() {
			return cty.DynamicVal, errors.New("cannot add null")
		}
		out = out.Add(v)
	}
	return out, nil
}

func transpose(args []cty.Value) (cty.Value, error) {
	out := map[string][]cty.Value{}
	v, marks := args[0].UnmarkDeep()
	if !v.IsWhollyKnown() {
		return cty.DynamicVal.WithMarks(marks), nil
	}
	for key, list := range v.AsValueMap() {
		for _, item := range list.AsValueSlice() {
			out[item.AsString()] = append(out[item.AsString()], cty.StringVal(key))
		}
	}
	if len(out) == 0 {
		return cty.MapValEmpty(cty.List(cty.String)).WithMarks(marks), nil
	}
	lists := map[string]cty.Value{}
	for key, list := range out {
		slices.SortFunc(list, func(a, b cty.Value) int { return strings.Compare(a.AsString(), b.AsString()) })
		lists[key] = cty.ListVal(list)
	}
	return cty.MapVal(lists).WithMarks(marks), nil
}

func indexOf(args []cty.Value) (cty.Value, error) {
	list, marks := args[0].UnmarkDeep()
	want, more := args[1].UnmarkDeep()
	if !list.IsWhollyKnown() || !want.IsWhollyKnown() {
		return cty.DynamicVal.WithMarks(marks, more), nil
	}
	if !list.CanIterateElements() {
		return cty.DynamicVal, errors.New("argument must be a list or tuple")
	}
	for i, item := range list.AsValueSlice() {
		if same, err := stdlib.Equal(item, want); err == nil && same.IsKnown() && same.True() {
			return cty.NumberIntVal(int64(i)).WithMarks(marks, more), nil
		}
	}
	return cty.DynamicVal, errors.New("item not found")
}

func matchKeys(args []cty.Value) (cty.Value, error) {
	values := args[0].AsValueSlice()
	keys, marks := args[1].UnmarkDeep()
	wanted, more := args[2].UnmarkDeep()
	if !keys.IsWhollyKnown() || !wanted.IsWhollyKnown() {
		return cty.DynamicVal.WithMarks(marks, more), nil
	}
	out := []cty.Value{}
	for i, key := range keys.AsValueSlice() {
		if i < len(values) && slices.ContainsFunc(wanted.AsValueSlice(), func(w cty.Value) bool { return w.RawEquals(key) }) {
			out = append(out, values[i])
		}
	}
	return cty.TupleVal(out).WithMarks(marks, more), nil
}

func text1(f func(string) string) func(args []cty.Value) (cty.Value, error) {
	return func(args []cty.Value) (cty.Value, error) { return cty.StringVal(f(args[0].AsString())), nil }
}

func text2(f func(a, b string) bool) func(args []cty.Value) (cty.Value, error) {
	return func(args []cty.Value) (cty.Value, error) {
		return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
	}
}

func timeCmp(args []cty.Value) (cty.Value, error) {
	a, err := time.Parse(time.RFC3339, args[0].AsString())
	if err != nil {
		return cty.DynamicVal, err
	}
	b, err := time.Parse(time.RFC3339, args[1].AsString())
	if err != nil {
		return cty.DynamicVal, err
	}
	return cty.NumberIntVal(int64(a.Compare(b))), nil
}

// equal compares values of which parts may be symbols.
func (e *Evaluator) equal(not bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{operand, operand},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			a, marks := args[0].UnmarkDeep()
			b, more := args[1].UnmarkDeep()
			t := e.same(a, b)
			if not {
				t = kleene.Not(t)
			}
			out := cty.BoolVal(t == kleene.True)
			if t == kleene.Unknown {
				out = cty.UnknownVal(cty.Bool)
				for _, v := range []cty.Value{a, b} {
					if isString(v) && symbolic(v.AsString()) {
						out = out.Mark(missing{what: e.symbols.words(v.AsString())})
					}
				}
			}
			return out.WithMarks(onlyKept(marks), onlyKept(more)), nil
		},
	})
}

var operand = function.Parameter{Name: "operand", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true}

func (e *Evaluator) same(a, b cty.Value) kleene.Truth {
	switch {
	case isString(a) && isString(b):
		return symbol.Equal(e.symbols.decode(a.AsString()), e.symbols.decode(b.AsString()))
	case a.IsKnown() && b.IsKnown() && (a.IsNull() || b.IsNull()):
		if e.mayBeEmpty(a) || e.mayBeEmpty(b) {
			return kleene.Unknown // or null: a service may have no answer
		}
		return kleene.Of(a.IsNull() && b.IsNull())
	case holdsSymbol(a) || holdsSymbol(b):
		if a.RawEquals(b) && a.IsWhollyKnown() {
			return kleene.True
		}
		return kleene.Unknown
	}
	out, err := stdlib.Equal(a, b)
	if err != nil || !out.IsKnown() {
		return kleene.Unknown
	}
	return kleene.Of(out.True())
}

// contains looks for a value in a list or set.
func (e *Evaluator) contains(args []cty.Value) (cty.Value, error) {
	list, marks := args[0].UnmarkDeep()
	want, more := args[1].UnmarkDeep()
	if list.IsNull() || !list.CanIterateElements() || list.Type().IsMapType() || list.Type().IsObjectType() {
		return cty.DynamicVal, errors.New("argument must be list, tuple, or set")
	}
	found := kleene.False
	for _, item := range list.AsValueSlice() {
		found = kleene.Or(found, e.same(item, want))
	}
	out := cty.UnknownVal(cty.Bool)
	if found != kleene.Unknown {
		out = cty.BoolVal(found == kleene.True)
	}
	return out.WithMarks(marks, more), nil
}

// cut cuts text at the start or end of another, and reports whether it is known if
// the one begins or ends with the other.
func (e *Evaluator) cut(text, part cty.Value, start bool) (has, known bool) {
	t, p := e.symbols.decode(text.AsString()), e.symbols.decode(part.AsString())
	literal, isLiteral := p.Literal()
	if start && t.HasPrefix(p) || !start && isLiteral && t.HasSuffix(literal) {
		return true, true
	}
	if t.Known() && isLiteral {
		return false, true
	}
	pattern := symbol.Concat(p, symbol.Literal("*"))
	if !start {
		pattern = symbol.Concat(symbol.Literal("*"), p)
	}
	if !isLiteral || strings.ContainsAny(literal, "*?$") {
		return false, false
	}
	compiled, err := symbol.Compile(pattern, symbol.Syntax{Wildcards: true})
	return false, err == nil && compiled.Match(t, nil) == kleene.False
}

func (e *Evaluator) decided(text, part cty.Value, start bool) bool {
	text, part = unmark(text), unmark(part)
	if !isString(text) || !isString(part) {
		return true
	}
	_, known := e.cut(text, part, start)
	return known
}

func (e *Evaluator) affix(start bool) func(args []cty.Value) (cty.Value, error) {
	return func(args []cty.Value) (cty.Value, error) {
		if !isString(args[0]) || !isString(args[1]) {
			return cty.DynamicVal, errors.New("strings are required")
		}
		has, known := e.cut(args[0], args[1], start)
		if !known {
			return cty.UnknownVal(cty.Bool), nil
		}
		return cty.BoolVal(has), nil
	}
}

// separates reports whether a separator stands in none of the symbols of a text.
func (e *Evaluator) separates(sep, text cty.Value) bool {
	sep, text = unmark(sep), unmark(text)
	if !isString(sep) || !isString(text) {
		return true
	}
	if s := sep.AsString(); s != ":" && s != "/" {
		return false
	}
	for s := range e.symbols.decode(text.AsString()).Symbols() {
		if s.Class == symbol.Any {
			return false
		}
	}
	return true
}

// jsonEncode keeps the tree beside the text, with its places.
func (e *Evaluator) jsonEncode() function.Function {
	return marking(func(v cty.Value) cty.Value {
		marks := deepMarks(v)
		if bare := unmark(v); !bare.IsKnown() {
			return cty.UnknownVal(cty.String).WithMarks(onlyKept(marks))
		}
		return e.documentValue(e.node(v, source.Range{}), marks)
	})
}

func (e *Evaluator) jsonDecode() function.Function {
	return e.wrap("jsondecode", simple(func(args []cty.Value) (cty.Value, error) {
		t, err := stdlib.JSONDecodeFunc.ReturnTypeForValues(args)
		if err != nil {
			return cty.DynamicVal, errors.New("the text is no JSON")
		}
		v, err := stdlib.JSONDecode(args[0])
		if err != nil || t == cty.NilType {
			return cty.DynamicVal, errors.New("the text is no JSON")
		}
		return v, nil
	}, cty.String), nil)
}
