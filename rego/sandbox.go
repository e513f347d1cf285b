package rego

import (
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// reach says, for each builtin that the sandbox refuses by name, what it reaches.
// Other builtins whose result is not determined by their arguments are refused too.
var reach = map[string]string{
	"http.send":          "the network",
	"net.lookup_ip_addr": "the network",
	"opa.runtime":        "the environment",
	"time.now_ns":        "the clock",
	"rand.intn":          "chance",
	"uuid.rfc4122":       "chance",
	// A schema may refer to others by their address.
	"json.match_schema":  "the network",
	"json.verify_schema": "the network",
	// Whether a token is valid depends on the time.
	"io.jwt.decode_verify": "the clock",
}

// capabilities are those of OPA without what the sandbox refuses, and with the builtins
// of tfguard.
func capabilities(allow []string) *ast.Capabilities {
	caps := ast.CapabilitiesForThisVersion()
	caps.AllowNet = []string{}
	caps.Builtins = slices.DeleteFunc(caps.Builtins, func(b *ast.Builtin) bool {
		return isRefused(b) && !slices.Contains(allow, b.Name)
	})
	if slices.Contains(allow, "http.send") {
		caps.AllowNet = nil
	}
	caps.Builtins = append(caps.Builtins, declarations()...)
	return caps
}

func isRefused(b *ast.Builtin) bool {
	_, named := reach[b.Name]
	return named || b.IsNondeterministic()
}

// refused says why the sandbox refuses a builtin, "" if it does not.
func refused(name string) string {
	b, ok := ast.BuiltinMap[name]
	if !ok || !isRefused(b) {
		return ""
	}
	what := reach[name]
	if what == "" {
		what = "more than its arguments"
	}
	return fmt.Sprintf("%s is refused: it reaches %s; --rego-allow %s switches it on", name, what, name)
}

// Allowable returns the names of the builtins that [Options.Allow] can name.
func Allowable() []string {
	var out []string
	for _, b := range ast.Builtins {
		if isRefused(b) {
			out = append(out, b.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
