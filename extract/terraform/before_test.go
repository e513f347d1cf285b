package terraform

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/fixtures"
)

// judged lists who and what there is in a world, each with the policies that bear on
// it: "aws_iam_role.app: inline[0], …".
func judged(inv *extract.Inventory) []string {
	var out []string
	line := func(address string, docs ...policy.Attached) {
		var ids []string
		for _, d := range docs {
			ids = append(ids, d.ID)
		}
		out = append(out, strings.TrimSpace(address+": "+strings.Join(ids, ", ")))
	}
	for _, p := range inv.Principals {
		docs := slices.Concat(p.Identity, p.Boundary)
		if p.Trust != nil {
			docs = append(docs, policy.Attached{Document: p.Trust})
		}
		line(p.Address, docs...)
	}
	for _, r := range inv.Resources {
		line(cmp.Or(r.Address, r.ARN.String()), r.Policies...)
	}
	return out
}

// The steps of one configuration. Both worlds are told by the plan: what it deletes is
// in the world before alone, what it lets go of in both.
func TestWorldsOfLifecycle(t *testing.T) {
	const (
		app     = "aws_iam_role.app: aws_iam_role_policy.inline.policy, aws_iam_policy.app.policy, aws_iam_role.app.assume_role_policy"
		drifted = "aws_iam_role.app: aws_iam_role_policy.inline.policy, aws_iam_policy.app.policy, arn:aws:iam::aws:policy/AdministratorAccess, aws_iam_role.app.assume_role_policy"
		renamed = "aws_iam_role.renamed: aws_iam_role_policy.adopted.policy, aws_iam_role_policy.inline.policy, aws_iam_policy.app.policy, arn:aws:iam::aws:policy/AdministratorAccess, aws_iam_role.renamed.assume_role_policy"
		data    = "aws_s3_bucket.data: aws_s3_bucket_policy.data.policy"
		bare    = "aws_s3_bucket.data:"
	)
	for name, want := range map[string]struct{ before, after []string }{
		"01-create": {nil, []string{app, data}},
		"02-noop":   {[]string{app, data}, []string{app, data}},
		"03-update": {[]string{app, data}, []string{app, data}},
		// Another name, so another role; its policies go over.
		"04-replace": {[]string{app, data}, []string{app, data}},
		// Somebody attached a policy by hand. No resource says so, and Terraform leaves it.
		"05-drift":         {[]string{drifted, data}, []string{drifted, data}},
		"05b-refresh-only": {[]string{drifted, data}, []string{drifted, data}},
		"06-delete-some":   {[]string{drifted, data}, []string{drifted, bare}},
		// Moved, let go of (removed), and imported.
		"07-moved-removed-import": {[]string{renamed, bare}, []string{renamed, bare}},
		"08-target":               {[]string{drifted, bare}, []string{drifted, data}},
		"09-replace-flag":         {[]string{drifted, bare}, []string{drifted, data}},
		"10-destroy":              {[]string{drifted, bare}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			content := fixtures.Read(t, "terraform/lifecycle-"+name+"/plan.json")
			got, err := Read(t.Context(), bytes.NewReader(content), "plan.json", Options{Before: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := judged(got.Before); !slices.Equal(got, want.before) {
				t.Errorf("before:\n got %q\nwant %q", got, want.before)
			}
			if got := judged(got.Inventory); !slices.Equal(got, want.after) {
				t.Errorf("after:\n got %q\nwant %q", got, want.after)
			}
			if got.Before.Changes != 0 || got.Before.Account.Value != got.Inventory.Account.Value {
				t.Errorf("%d changes, accounts %v and %v", got.Before.Changes, got.Before.Account, got.Inventory.Account)
			}
			checkDocuments(t, content, "before", got.Before)
			checkDocuments(t, content, "after", got.Inventory)
		})
	}
}

// checkDocuments holds the policies of a world against the texts in the plan.
func checkDocuments(t *testing.T, content []byte, when string, inv *extract.Inventory) {
	t.Helper()
	docs := map[string]*policy.Document{}
	for _, p := range inv.Policies {
		docs[p.ID] = p.Document
	}
	var plan struct {
		Changes []struct {
			Address string                    `json:"address"`
			Change  map[string]jsontext.Value `json:"change"`
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(content, &plan); err != nil {
		t.Fatal(err)
	}
	for _, rc := range plan.Changes {
		var values map[string]any
		if json.Unmarshal(rc.Change[when], &values) != nil {
			continue
		}
		for _, attr := range []string{"policy", "assume_role_policy"} {
			text, ok := values[attr].(string)
			doc := docs[rc.Address+"."+attr]
			if !ok || text == "" || doc == nil {
				continue
			}
			want, diags := policy.Parse(text, doc.ID, doc.Kind, doc.Origin)
			if diags.HasErrors() || written(t, doc) != written(t, want) {
				t.Errorf("%s of %s is not %s", when, doc.ID, text)
			}
		}
	}
}

func written(t *testing.T, doc *policy.Document) string {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The world before is made on demand alone.
func TestNoWorldBefore(t *testing.T) {
	got, err := Read(t.Context(), bytes.NewReader(fixtures.Read(t, "terraform/lifecycle-03-update/plan.json")), "plan.json", Options{})
	if err != nil || got.Before != nil {
		t.Errorf("%v, %v", got.Before, err)
	}
}
