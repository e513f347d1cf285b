package awsref

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/awsref/internal/refdata"
	"github.com/tfguard/tfguard/engine/awsref/internal/table"
)

// walk reads everything in a services.bin, as looking up every name does.
func walk(file string) error {
	c, err := openCatalog(file)
	if err != nil {
		return err
	}
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	for i := range c.services.Len() {
		prefix, r, err := c.services.Key(i)
		note(err)
		s, err := readService(prefix, r)
		note(err)
		note(walkTable(s.list, s.readAction))
		note(walkTable(s.resourceTypes, s.readResourceType))
		note(walkTable(s.keys, readKey))
		_, _, err = c.service(prefix)
		note(err)
	}
	note(walkTable(c.foreignKeys, readKey))
	note(walkTable(c.principals, readPrincipal))
	_, _, err = c.conditionKey("s3:ExistingObjectTag/a")
	note(err)
	_, _, err = c.principal("codedeploy.eu-west-1.amazonaws.com")
	note(err)
	return errors.Join(errs...)
}

func walkTable[T any](list table.Table, read func(string, table.Reader) (T, error)) error {
	var errs []error
	for i := range list.Len() {
		key, r, err := list.Key(i)
		errs = append(errs, err)
		_, err = read(key, r)
		errs = append(errs, err)
		_, _, err = lookup(list, key, read)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// walkPolicies reads everything in a policies.bin.
func walkPolicies(file string) error {
	list, err := openPolicies(file)
	if err != nil {
		return err
	}
	var errs []error
	for i := range list.table.Len() {
		name, _, err := list.table.Key(i)
		errs = append(errs, err)
		_, _, err = policyText(file, name)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func TestEmbeddedDataIsWhole(t *testing.T) {
	if err := walk(servicesFile); err != nil {
		t.Error(err)
	}
	if err := walkPolicies(policiesFile); err != nil {
		t.Error(err)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// What is read from the embedded data, written as the packages have it, makes the same
// data: nothing is lost on either way.
func TestEmbeddedDataGoesRound(t *testing.T) {
	in := refdata.Input{
		Services: refdata.Files{"LICENSE.txt": nil}, Dependents: refdata.Files{"LICENSE.txt": nil}, Policies: refdata.Files{"LICENSE": nil},
		RCPServices:       must[[]byte](t)(os.ReadFile("data/rcp_services.tsv")),
		ServicePrincipals: must[[]byte](t)(os.ReadFile("data/service_principals.tsv")),
	}
	type object = map[string]any
	put := func(files refdata.Files, name string, v any) { files[name] = must[[]byte](t)(json.Marshal(v)) }
	var prefixes, controlled []string
	names := object{}
	for s := range Services() {
		prefixes = append(prefixes, s.Prefix)
		names[s.Prefix] = s.Name
		if s.RCP {
			controlled = append(controlled, s.Prefix)
		}
		actions, dependents, types, keys := object{}, object{}, object{}, object{}
		for a := range s.Actions() {
			var levels []string
			for _, level := range a.AccessLevels {
				levels = append(levels, string(level))
			}
			var uses, older []object
			for _, use := range a.ResourceTypes {
				uses = append(uses, object{"name": use.Name, "required": use.Required, "conditionKeys": use.ConditionKeys})
				older = append(older, object{"name": use.Name, "dependentActions": use.DependentActions})
			}
			id := strings.ToLower(a.Name)
			actions[id] = object{
				"name": a.Name, "accessLevel": strings.Join(levels, ", "), "conditionKeys": a.ConditionKeys, "resourceTypes": uses,
			}
			dependents[id] = object{"name": a.Name, "dependentActions": a.DependentActions, "resourceTypes": older}
		}
		for rt := range s.ResourceTypes() {
			types[strings.ToLower(rt.Name)] = object{
				"key": rt.Name, "arn": strings.Join(rt.ARNs, ", "), "conditionKeys": rt.ConditionKeys,
			}
		}
		for k := range s.ConditionKeys() {
			keys[strings.ToLower(k.Name)] = object{"key": k.Name, "type": k.Type}
		}
		put(in.Services, "data/actions/"+s.Prefix+".json", actions)
		put(in.Services, "data/resourceTypes/"+s.Prefix+".json", types)
		put(in.Services, "data/conditionKeys/"+s.Prefix+".json", keys)
		put(in.Dependents, "data/actions/"+s.Prefix+".json", dependents)
	}
	put(in.Services, "data/services.json", prefixes)
	put(in.Services, "data/serviceNames.json", names)
	put(in.Services, "data/rcpSupportedServices.json", controlled)
	policies := object{}
	for name := range ManagedPolicies() {
		path, _ := ManagedPolicyPath(name)
		text, _ := ManagedPolicy(name)
		policies[name] = object{
			"arn": "arn:aws:iam::aws:policy" + path + name, "latestVersionId": "v1",
			"versions": object{"v1": object{"document": json.RawMessage(text)}},
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(policies); err != nil {
		t.Fatal(err)
	}
	in.Policies["dist/managedPolicies.json"] = text.Bytes()

	made, err := refdata.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	if string(made["services.bin"]) != servicesFile {
		t.Error("services.bin is not what it makes")
	}
	samePolicies(t, string(made["policies.bin"]), policiesFile)
}

// samePolicies compares what two policies.bin hold. Their bytes may differ, as deflate
// is not the same in all versions of Go.
func samePolicies(t *testing.T, got, want string) {
	t.Helper()
	contents := func(file string) map[string]string {
		list := must[policies](t)(openPolicies(file))
		all := map[string]string{}
		for i := range list.table.Len() {
			name, _, err := list.table.Key(i)
			if err != nil {
				t.Fatal(err)
			}
			p, _, err := list.find(name)
			if err != nil {
				t.Fatal(err)
			}
			all[p.path+name] = string(must[[]byte](t)(list.unpack(p)))
		}
		return all
	}
	if g, w := contents(got), contents(want); !maps.Equal(g, w) {
		t.Errorf("the policies are not the same: %q, want %q", slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(w)))
	}
}

const sampleFolder = "internal/refdata/testdata/sample"

// sample returns a file that the generator makes from the sample.
func sample(t testing.TB, name string) string {
	t.Helper()
	return string(must[[]byte](t)(os.ReadFile(filepath.Join(sampleFolder, "want", name))))
}

// The generator's test holds what it makes to sample/want; this one, that the reader
// finds in it what the sample says.
func TestSample(t *testing.T) {
	file := sample(t, "services.bin")
	if err := walk(file); err != nil {
		t.Fatal(err)
	}
	c := must[catalog](t)(openCatalog(file))
	s, ok, err := c.service("S3")
	if !ok || err != nil || s.Prefix != "s3" || s.Name != "Amazon S3" || !s.RCP {
		t.Errorf("s3 is %q, %q, %v, %v, %v", s.Prefix, s.Name, s.RCP, ok, err)
	}
	var names []string
	for a := range s.Actions() {
		names = append(names, a.Name)
	}
	if want := []string{"GetObject", "ListAllMyBuckets", "ListBucket", "PutBucketPolicy"}; !slices.Equal(names, want) {
		t.Errorf("actions are %q", names)
	}
	if a, _ := s.Action("PutBucketPolicy"); !slices.Equal(a.AccessLevels, []AccessLevel{Write, PermissionsManagement}) {
		t.Errorf("PutBucketPolicy is %q", a.AccessLevels)
	}
	ec2, _, _ := c.service("ec2")
	if a, _ := ec2.Action("RunInstances"); !slices.Equal(a.DependentActions, []string{"ec2:CreateTags", "iam:PassRole", "ssm:GetParameters"}) {
		t.Errorf("RunInstances depends on %q", a.DependentActions)
	}
	if key, ok, err := c.conditionKey("saml:aud"); !ok || err != nil || key.Name != "saml:aud" {
		t.Errorf("saml:aud is %v, %v, %v", key, ok, err)
	}
	samePoliciesNames(t, sample(t, "policies.bin"), "AdministratorAccess", "AmazonS3ReadOnlyAccess", "AWSLambdaBasicExecutionRole", "Billing")
}

func samePoliciesNames(t *testing.T, file string, want ...string) {
	t.Helper()
	list := must[policies](t)(openPolicies(file))
	if got := slices.Collect(each(list.table, readName)); !slices.Equal(got, want) {
		t.Errorf("policies are %q, want %q", got, want)
	}
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct {
		template, name string
		want           bool
	}{
		{"a/${X}", "a/b", true}, {"a/${X}", "A/b/c", true}, {"a/${X}", "a/", false}, {"a/${X}", "a", false},
		{"a/${X}/z", "a/b/z", true}, {"a/${X}/z", "a//z", false}, {"a/${X}/z", "a/z/z/z", true}, {"a/${X}/z", "a/b", false},
		{"${X}.b.${Y}.d", "a.b.c.d", true}, {"${X}.b.${Y}.d", "a.b.d", false}, {"${X}.b.${Y}.d", "a.b.b.b.d", true},
		{"a/<key>", "a/b", true}, {"a/tag-key", "a/b", true}, {"a/tag-key", "a/", false}, {"a/", "a/b", true}, {"a/", "a/", false},
		{"a", "a", false}, {"", "", false}, {"a${X", "ab", false}, {"${X}", "x", true}, {"${X}", "", false}, {"${X}${Y}", "x", false},
	} {
		if got := isTemplateOf(c.template, c.name); got != c.want {
			t.Errorf("isTemplateOf(%q, %q) = %v", c.template, c.name, got)
		}
	}
}

// damage returns data with some bytes replaced, and cut.
func damage(data, change string, at, length uint16) string {
	i := int(at) % (len(data) + 1)
	out := data[:i] + change
	if end := i + len(change); end < len(data) {
		out += data[end:]
	}
	if length != 0 {
		out = out[:int(length)%(len(out)+1)]
	}
	return out
}

// Damaged data is an error or other data, and never more.
func FuzzService(f *testing.F) {
	whole := sample(f, "services.bin")
	f.Add("", uint16(0), uint16(0))
	f.Add("\xff\xff\xff\x7f", uint16(20), uint16(0))
	f.Add("\x00", uint16(40), uint16(0))
	f.Add("", uint16(0), uint16(1000))
	f.Fuzz(func(t *testing.T, change string, at, length uint16) {
		if err := walk(damage(whole, change, at, length)); err != nil && !errors.Is(err, table.ErrDamaged) {
			t.Error(err)
		}
	})
}

func FuzzManagedPolicy(f *testing.F) {
	whole := sample(f, "policies.bin")
	f.Add("", uint16(0), uint16(0))
	f.Add("\xff\xff\xff\x7f", uint16(30), uint16(0))
	f.Add("\x00", uint16(200), uint16(0))
	f.Add("", uint16(0), uint16(500))
	f.Fuzz(func(t *testing.T, change string, at, length uint16) {
		if err := walkPolicies(damage(whole, change, at, length)); err != nil && !errors.Is(err, table.ErrDamaged) {
			t.Error(err)
		}
	})
}
