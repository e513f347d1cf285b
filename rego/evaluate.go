package rego

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// An Input is one checked file.
type Input struct {
	// Name is how messages call the file; rules find it in data.conftest.file.
	Name string
	// Document is the report document, by its keys. Values need a JSON form.
	Document map[string]any
	// Key is that of the file in the document, plan or template, and File opens it
	// as JSON. File is called only if some rule mentions it; it may be nil.
	Key  string
	File func() (io.ReadCloser, error)
	// Engine answers what rules ask; nil refuses.
	Engine Engine
}

// An Engine answers questions of rules. Its answers need a JSON form.
type Engine interface {
	// Evaluate decides a simulate case.
	Evaluate(simulateCase []byte) (any, error)
	// Replay replays a chain; ok is false if the input does not define what the query
	// names, and why then says which.
	Replay(q Query) (answer any, ok bool, why string, err error)
}

// A Query asks for one replay.
type Query struct {
	Chain     string `json:"chain"`
	Action    string `json:"action"`
	Principal string `json:"principal"`
	Resource  string `json:"resource"`
}

// A Finding is what a guardrail yielded.
type Finding struct {
	Rule    *Rule
	Message string
	// Address is the resource that the rule names, "" for none.
	Address string
	// File, Line, Column and Attribute are the place that the rule names with _loc, as
	// conftest or as a source of the report; empty for none.
	File         string
	Line, Column int
	Attribute    string
	// Replay is what the rule gives as replay: a replays[] object or the number of
	// one in the document; nil for nothing.
	Replay any
}

// A Result is what guardrails brought for one input.
type Result struct {
	// Findings in the order of the rules, those of one rule by their text.
	Findings []Finding
	// Excepted are the rules that an exception of their package turned off.
	Excepted []*Rule
	// Notes are calls of builtins that failed and counted as undefined, and questions
	// about what the input does not define, each with its place.
	Notes []string
}

// NeedsFile reports whether [Rules.Evaluate] opens the file of an input.
func (r *Rules) NeedsFile() bool {
	return slices.ContainsFunc(r.groups, func(g *group) bool {
		return g.input.file(fileKeys[0]) != nil || g.input.file(fileKeys[1]) != nil
	})
}

// file returns what is mentioned of the file, which stands under a key.
func (s *shape) file(key string) *keys {
	m := s.ofFile(key)
	if m != nil && !m.whole && m.at("variables") != nil {
		// Which of them are sensitive stands elsewhere.
		m.add([]*ast.Term{ast.StringTerm("configuration"), ast.StringTerm("root_module"), ast.StringTerm("variables")})
	}
	return m
}

func (s *shape) ofFile(key string) *keys {
	switch s.kind {
	case document:
		return s.mentioned.at(key)
	case file:
		return s.mentioned
	default:
		all := &keys{}
		all.merge(s.mentioned)
		if under := s.mentioned.at(key); under != nil {
			all.merge(under)
		}
		return all
	}
}

// Evaluate runs the guardrails on one input. An error in a rule, or a limit, ends
// it: rules that could not be run to their end have judged nothing.
func (r *Rules) Evaluate(ctx context.Context, in Input) (*Result, error) {
	if err := r.name(ctx, in.Name); err != nil {
		return nil, err
	}
	out := &Result{}
	var secrets []string
	for _, g := range r.groups {
		value, err := g.input.build(in)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, sensitive(value)...)
		if err := r.ask(ctx, g, value, in, out); err != nil {
			return nil, err
		}
	}
	mask(out, secrets)
	slices.Sort(out.Notes)
	out.Notes = slices.Compact(out.Notes)
	return out, nil
}

// name writes what the file is called to where conftest has it.
func (r *Rules) name(ctx context.Context, name string) error {
	abs, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	return storage.Txn(ctx, r.store, storage.WriteParams, func(txn storage.Transaction) error {
		if err := storage.MakeDir(ctx, r.store, txn, storage.Path{"conftest"}); err != nil {
			return err
		}
		value := map[string]any{"name": filepath.Base(abs), "dir": filepath.Dir(abs)}
		return r.store.Write(ctx, txn, storage.AddOp, storage.Path{"conftest", "file"}, value)
	})
}

// build makes the value of input: of the document and of the file what is mentioned.
func (s *shape) build(in Input) (ast.Value, error) {
	var pairs [][2]*ast.Term
	if s.kind != file {
		for key, value := range in.Document {
			if s.mentioned.at(key) == nil {
				continue
			}
			term, err := valueOf(value)
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, [2]*ast.Term{ast.StringTerm(key), term})
		}
	}
	mentioned := s.file(in.Key)
	if mentioned == nil || in.File == nil {
		return ast.NewObject(pairs...), nil
	}
	f, err := in.File()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was read
	raw, err := newBuilder(f).whole(mentioned)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name, err)
	}
	top, isObject := raw.Value.(ast.Object)
	switch {
	case s.kind == file:
		return raw.Value, nil
	case s.kind == both && isObject:
		pairs = append(pairs, [2]*ast.Term{ast.StringTerm(in.Key), raw})
		own := ast.NewObject(pairs...)
		if merged, ok := own.Merge(top); ok {
			return merged, nil
		}
		return own, nil
	}
	return ast.NewObject(append(pairs, [2]*ast.Term{ast.StringTerm(in.Key), raw})...), nil
}

// ask runs the query of a group within the limits.
func (r *Rules) ask(ctx context.Context, g *group, input ast.Value, in Input, out *Result) error {
	calls := &calls{engine: in.Engine}
	ctx, watch := limit(context.WithValue(ctx, callsKey{}, calls), r.timeout, r.memory)
	defer watch.stop()
	var failed []topdown.Error
	set, err := g.query.Eval(ctx, opa.EvalParsedInput(input), opa.EvalBuiltinErrorList(&failed), opa.EvalSortSets(true))
	switch {
	case err != nil && watch.exceeded() != nil:
		return fmt.Errorf("%s: %w", in.Name, watch.exceeded())
	case err != nil:
		return fmt.Errorf("%s: %w", in.Name, located(err))
	case len(set) != 1:
		return errors.New("the guardrails gave no answer")
	}
	for i := range failed {
		out.Notes = append(out.Notes, located(&failed[i]).Error()+"; the call counts as undefined")
	}
	out.Notes = append(out.Notes, calls.notes...)
	answers, _ := set[0].Expressions[0].Value.([]any)
	seen := map[string]bool{}
	for i, a := range answers {
		answer, _ := a.(map[string]any)
		if excepted, _ := answer["excepted"].([]any); len(excepted) > 0 {
			out.Excepted = append(out.Excepted, g.guardrails[i].rule)
			continue
		}
		yields, _ := answer["yields"].([]any)
		if err := g.guardrails[i].findings(yields, seen, out); err != nil {
			return err
		}
	}
	return nil
}

// findings reads what a rule yields: a set or a list of messages. seen are those of
// the group; several definitions of one rule make one set.
func (g *guardrail) findings(yields []any, seen map[string]bool, out *Result) error {
	for _, y := range yields {
		messages, ok := y.([]any)
		if !ok {
			return g.wrong("is", y)
		}
		var found []Finding
		for _, m := range messages {
			text, err := json.Marshal(m)
			if err != nil {
				return err
			}
			key := g.rule.Namespace + "." + g.rule.Name + string(text)
			if seen[key] {
				continue
			}
			seen[key] = true
			f, err := g.finding(m)
			if err != nil {
				return err
			}
			found = append(found, *f)
		}
		slices.SortStableFunc(found, func(a, b Finding) int { return strings.Compare(a.Message, b.Message) })
		out.Findings = append(out.Findings, found...)
	}
	return nil
}

func (g *guardrail) wrong(verb string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	const most = 60
	if len(text) > most {
		text = append(text[:most], "…"...)
	}
	return fmt.Errorf("%s:%d: %s %s %s; it is a set of strings, or of objects with the string msg",
		g.rule.File, g.rule.Line, g.rule.Name, verb, text)
}

func (g *guardrail) finding(message any) (*Finding, error) {
	f := &Finding{Rule: g.rule}
	switch m := message.(type) {
	case string:
		f.Message = m
	case map[string]any:
		msg, ok := m["msg"].(string)
		if !ok {
			return nil, g.wrong("yields", m)
		}
		f.Message = msg
		f.Address, _ = m["address"].(string)
		f.Replay = m["replay"]
		if loc, ok := m["_loc"].(map[string]any); ok {
			f.File, _ = loc["file"].(string)
			f.Attribute, _ = loc["attribute"].(string)
			f.Line, f.Column = whole(loc["line"]), whole(loc["column"])
			if f.File != "" && f.Column == 0 {
				f.Column = 1
			}
		}
	default:
		return nil, g.wrong("yields", m)
	}
	return f, nil
}

// whole returns a number that counts something, else 0.
func whole(v any) int {
	number, _ := v.(json.Number)
	n, err := number.Int64()
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// A limitError says which limit an evaluation met.
type limitError struct{ text string }

func (e *limitError) Error() string { return e.text }

func timeError(d time.Duration) error {
	return &limitError{fmt.Sprintf("the guardrails did not come to an end within %s; --rego-timeout sets the limit", d)}
}

func memoryError(bytes uint64) error {
	return &limitError{fmt.Sprintf("the guardrails took more than %d MiB of memory; --rego-memory sets the limit", bytes>>20)}
}
