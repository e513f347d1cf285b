package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/fixtures"
)

// The context of every hop of every chain is what the tables say, key by key.
func TestChainsCarryWhatTheTablesSay(t *testing.T) {
	var all []report.Chain
	decode(t, &all, "chains", "list", "-o", "json")
	where := fixtures.Table(t, "context/chains.tsv")
	tables := contextTables{
		network: fixtures.Table(t, "context/network.tsv"), principal: fixtures.Table(t, "context/principal.tsv"),
		workload: fixtures.Table(t, "context/workload.tsv"), endpoints: fixtures.Table(t, "context/endpoints.tsv"),
	}
	seen := map[string]bool{}
	cells := 0
	for _, c := range all {
		var shown report.Chain
		decode(t, &shown, "chains", "show", c.ID, "-o", "json")
		if shown.ID != c.ID || shown.Title != c.Title || shown.Pattern != c.Pattern || len(shown.Hops) == 0 {
			t.Errorf("%s is shown as %+v", c.ID, shown)
		}
		for i := range shown.Hops {
			h := &shown.Hops[i]
			id := fmt.Sprintf("%s %d %s", c.ID, h.Hop, h.Credentials)
			seen[id] = true
			if where["network"][id] == "" {
				t.Errorf("%s is in no table", id)
				continue
			}
			row := contextRow{where["network"][id], where["principal"][id], where["workload"][id], where["through"][id]}
			for _, problem := range tables.compare(&row, h, &cells) {
				t.Errorf("%s, %v: %s", id, h.Actions, problem)
			}
		}
	}
	for id := range where["network"] {
		if !seen[id] {
			t.Errorf("no chain has %s", id)
		}
	}
	if len(all) < 60 || cells < 60*60 {
		t.Errorf("compared %d cells of %d chains", cells, len(all))
	}
}

// The other kinds of principals, on a direct call.
func TestChainsShowKindsOfPrincipals(t *testing.T) {
	principal := fixtures.Table(t, "context/principal.tsv")
	for caller, column := range map[string]string{
		"role": "role", "user": "user", "user-console": "console", "user-console-mfa": "console-mfa", "user-mfa": "mfa-session",
		"identity-center": "identity-center", "saml": "saml", "oidc": "oidc", "federated-user": "fed", "root": "root",
	} {
		var shown report.Chain
		decode(t, &shown, "chains", "show", "direct-corporate", "--principal", caller, "-o", "json")
		for key, want := range principal[column] {
			if problem := compareCell(&shown.Hops[0], key, want, ""); problem != "" {
				t.Errorf("%s: %s", caller, problem)
			}
		}
	}
}

func decode(t *testing.T, into any, args ...string) {
	t.Helper()
	got := tfguard(t, args...)
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%q: exit code %d, %s", args, got.code, got.stderr)
	}
	d := json.NewDecoder(strings.NewReader(got.stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
}

type contextTables struct {
	network, principal, workload, endpoints map[string]map[string]string
}

type contextRow struct{ network, principal, workload, through string }

// compare checks every cell of a hop's columns, and that it has no key beside them but
// those of single services.
func (tables *contextTables) compare(row *contextRow, h *report.ChainHop, cells *int) []string {
	var problems []string
	known := map[string]bool{}
	service, action, _ := strings.Cut(h.Actions[0], ":")
	for _, column := range []map[string]string{tables.network[row.network], tables.principal[row.principal], tables.workload[row.workload]} {
		if column == nil {
			return []string{fmt.Sprintf("there is no column %+v", *row)}
		}
		for key, want := range column {
			known[key] = true
			*cells++
			if supported, limited := tables.endpoints[key]; limited && (supported[service] != "yes" || action == "PassRole") {
				want = "-"
			}
			if strings.HasPrefix(key, "aws:ResourceTag/") {
				continue // hangs on the kind of resource
			}
			if problem := compareCell(h, key, want, row.through); problem != "" {
				problems = append(problems, problem)
			}
		}
	}
	for _, key := range keysOf(h) {
		global := strings.HasPrefix(key, "aws:") && !strings.HasSuffix(key, "/${TagKey}") && key != "aws:SourceOwner"
		if global && !known[key] {
			problems = append(problems, key+" is in no table")
		}
	}
	return problems
}

func keysOf(h *report.ChainHop) []string {
	keys := slices.Clone(h.Unknown)
	for key := range h.Context {
		keys = append(keys, key)
	}
	return keys
}

// compareCell compares a key with a cell of a table, in which an organization and the
// tags of a principal are known.
func compareCell(h *report.ChainHop, key, want, through string) string {
	if family, tag, ok := strings.Cut(key, "/"); ok {
		if tag == "other" {
			return ""
		}
		key = family + "/${TagKey}"
	}
	value, present := h.Context[key]
	unsure := slices.Contains(h.Unknown, key)
	dependent := strings.Contains(key, "Org") || strings.HasSuffix(key, "/${TagKey}")
	switch {
	case present && unsure:
		return key + " is both there and perhaps there"
	case want == "-" && (present || unsure):
		return fmt.Sprintf("%s is there, as %v; the table has none", key, value)
	case want == "-":
		return ""
	case strings.HasPrefix(want, "?") || dependent:
		if !unsure {
			return fmt.Sprintf("%s is %v; the table is not sure of it", key, value)
		}
		return ""
	case !present:
		return key + " is not there; the table has " + want
	}
	got := fmt.Sprint(value)
	if list, ok := value.([]any); ok != request.Multivalued(key) {
		return fmt.Sprintf("%s is %v", key, value)
	} else if ok {
		words := make([]string, len(list))
		for i, w := range list {
			words[i] = fmt.Sprint(w)
		}
		got = strings.Join(words, ",")
	}
	services := strings.Split(through, ",")
	switch key {
	case "aws:CalledVia", "aws:PrincipalServiceName":
		want = through
	case "aws:CalledViaFirst":
		want = services[0]
	case "aws:CalledViaLast":
		want = services[len(services)-1]
	case "aws:PrincipalServiceNamesList":
		got, _, _ = strings.Cut(got, ",")
		want = through
	default:
		said := []string{"true", "false", "anonymous", "aws-owned", "User", "AssumedRole", "FederatedUser", "Account", "Anonymous", "glue.amazonaws.com"}
		if !slices.Contains(said, want) {
			if global := key == "aws:RequestedRegion" && got == "us-east-1"; !strings.HasPrefix(got, "${") && !global {
				return fmt.Sprintf("%s is %s, want a placeholder", key, got)
			}
			return ""
		}
	}
	if got != want {
		return fmt.Sprintf("%s is %s, want %s", key, got, want)
	}
	return ""
}
