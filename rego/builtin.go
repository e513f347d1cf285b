package rego

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/types"
)

// calls is the state of the builtins during one evaluation.
type calls struct {
	engine Engine
	notes  []string
}

// callsKey is that of calls in a context.
type callsKey struct{}

var anyObject = types.NewObject(nil, types.NewDynamicProperty(types.S, types.A))

// evaluateBuiltin and replayBuiltin ask the engine. They are equal for equal
// arguments during one evaluation.
var (
	evaluateBuiltin = &opa.Function{
		Name: "tfguard.evaluate", Memoize: true,
		Decl: types.NewFunction(types.Args(types.Named("case", anyObject)), types.Named("answer", anyObject)),
	}
	replayBuiltin = &opa.Function{
		Name: "tfguard.replay", Memoize: true,
		Decl: types.NewFunction(types.Args(types.Named("query", anyObject)), types.Named("replay", anyObject)),
	}
)

// declarations are the builtins of tfguard for the compiler.
func declarations() []*ast.Builtin {
	return []*ast.Builtin{
		{Name: evaluateBuiltin.Name, Decl: evaluateBuiltin.Decl},
		{Name: replayBuiltin.Name, Decl: replayBuiltin.Decl},
	}
}

// builtins are the builtins of tfguard for the evaluation.
func builtins() []func(*opa.Rego) {
	return []func(*opa.Rego){
		opa.Function1(evaluateBuiltin, evaluate),
		opa.Function1(replayBuiltin, replay),
	}
}

var errNoEngine = errors.New("there is no engine to ask")

func callsOf(ctx context.Context) (*calls, error) {
	c, ok := ctx.Value(callsKey{}).(*calls)
	if !ok || c.engine == nil {
		return nil, opa.NewHaltError(errNoEngine)
	}
	return c, nil
}

func evaluate(bctx opa.BuiltinContext, arg *ast.Term) (*ast.Term, error) {
	c, err := callsOf(bctx.Context)
	if err != nil {
		return nil, err
	}
	text, err := jsonOf(arg)
	if err != nil {
		return nil, opa.NewHaltError(err)
	}
	answer, err := c.engine.Evaluate(text)
	if err != nil {
		return nil, opa.NewHaltError(err)
	}
	return valueOf(answer)
}

func replay(bctx opa.BuiltinContext, arg *ast.Term) (*ast.Term, error) {
	c, err := callsOf(bctx.Context)
	if err != nil {
		return nil, err
	}
	q, err := query(arg)
	if err != nil {
		return nil, opa.NewHaltError(err)
	}
	answer, ok, why, err := c.engine.Replay(q)
	if err != nil {
		return nil, opa.NewHaltError(err)
	}
	if !ok {
		c.notes = append(c.notes, fmt.Sprintf("%s: tfguard.replay is undefined: %s", place(bctx.Location), why))
		return nil, nil
	}
	return valueOf(answer)
}

func query(arg *ast.Term) (Query, error) {
	text, err := jsonOf(arg)
	if err != nil {
		return Query{}, err
	}
	var q Query
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil || q.Chain == "" || q.Action == "" || q.Principal == "" || q.Resource == "" {
		return Query{}, fmt.Errorf("it takes an object of the strings chain, action, principal and resource, and this is %s", text)
	}
	return q, nil
}

func jsonOf(t *ast.Term) ([]byte, error) {
	v, err := ast.JSON(t.Value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}
