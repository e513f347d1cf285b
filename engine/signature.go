package engine

import (
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
)

// Signature renders how every statement of some policies meets a request: its
// action, resources and principals, and those conditions whose keys are chosen.
// Requests with equal signatures that agree in all other keys are decided alike.
func Signature(docs []policy.Attached, req *Request, keys func(key string) bool) string {
	e := newEvaluation(&Policies{}, req)
	var b strings.Builder
	write := func(ts ...kleene.Truth) {
		for _, t := range ts {
			b.WriteByte('0' + byte(t))
		}
	}
	for i := range docs {
		for j := range docs[i].Statements {
			st := &docs[i].Statements[j]
			resources, _ := e.matchResources(st)
			g := e.matchPrincipals(docs[i].Document, st)
			write(st.Actions.Match(e.prefix, e.name), resources, g.direct, g.role, g.account)
			for k := range st.Conditions {
				if c := &st.Conditions[k]; keys(c.Key) {
					write(c.Eval(req.Context))
				}
			}
			b.WriteByte(' ')
		}
		b.WriteByte('\n')
	}
	return b.String()
}
