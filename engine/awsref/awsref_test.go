package awsref_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/fixtures"
)

var managedPolicyARN = regexp.MustCompile(`arn:aws[a-z-]*:iam::aws:policy/([\w+=,.@/-]+)`)

// attached returns the AWS managed policies that fixtures name, with a file that does.
func attached(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	err := fs.WalkDir(fixtures.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, m := range managedPolicyARN.FindAllSubmatch(fixtures.Read(t, name), -1) {
			names[string(m[1])] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatal("no fixture names an AWS managed policy")
	}
	return names
}

func TestManagedPolicyCoversFixtures(t *testing.T) {
	for name, file := range attached(t) {
		if _, ok := awsref.ManagedPolicy(name); !ok {
			t.Errorf("%s (in %s) is not in the set", name, file)
		}
	}
}

func TestManagedPoliciesAreIdentityPolicies(t *testing.T) {
	files, err := os.ReadDir("managed")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".json"); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatal("no documents")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			text, ok := awsref.ManagedPolicy(name)
			if !ok {
				t.Fatal("not in the set")
			}
			doc, diags := policy.Parse(text, name, policy.Identity, source.Origin{Address: name})
			for _, d := range diags {
				if d.Severity == source.Error {
					t.Error(d)
				}
			}
			if len(doc.Statements) == 0 {
				t.Error("no statements")
			}
		})
	}
}

func TestManagedPolicyName(t *testing.T) {
	plain, ok := awsref.ManagedPolicy("ViewOnlyAccess")
	if !ok {
		t.Fatal("ViewOnlyAccess is not in the set")
	}
	withPath, ok := awsref.ManagedPolicy("job-function/ViewOnlyAccess")
	if !ok || string(withPath) != string(plain) {
		t.Error("a path changes the answer")
	}
	for _, name := range []string{"", "NoSuchPolicy", "viewonlyaccess", "NOTICE", ".."} {
		if text, ok := awsref.ManagedPolicy(name); ok || text != nil {
			t.Errorf("ManagedPolicy(%q) = %q, %v", name, text, ok)
		}
	}
}
