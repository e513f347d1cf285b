package refdata

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/fixtures"
)

const sample = "testdata/sample"

func readSample(t *testing.T) Input {
	t.Helper()
	files := func(folder string) Files {
		all := Files{}
		root := filepath.Join(sample, folder)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			all[filepath.ToSlash(name)], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	in := Input{Services: files("services"), Dependents: files("dependents"), Policies: files("policies")}
	var err error
	if in.RCPServices, err = os.ReadFile(filepath.Join(sample, "rcp_services.tsv")); err != nil {
		t.Fatal(err)
	}
	if in.ServicePrincipals, err = os.ReadFile(filepath.Join(sample, "service_principals.tsv")); err != nil {
		t.Fatal(err)
	}
	return in
}

// With -update it writes what it makes.
func TestMakeSample(t *testing.T) {
	made, err := Make(readSample(t))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Make(readSample(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range made {
		if !bytes.Equal(got, again[name]) {
			t.Errorf("%s: not the same twice", name)
		}
		path := filepath.Join(sample, "want", name)
		if fixtures.Update() {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v; write it with -update", err)
		}
		// Deflate is not the same in all versions of Go; that the documents come back
		// is a test of awsref.
		if name != "policies.bin" && !bytes.Equal(got, want) {
			t.Errorf("%s differs; if that is right, write it with -update", name)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(in *Input)
		want   string
	}{
		{"no services", func(in *Input) { delete(in.Services, "data/services.json") }, "data/services.json: no such file"},
		{"no actions", func(in *Input) { delete(in.Services, "data/actions/s3.json") }, "s3: data/actions/s3.json: no such file"},
		{"no JSON", func(in *Input) { in.Services["data/actions/s3.json"] = []byte("{") }, "s3: data/actions/s3.json: unexpected end"},
		{"no name", func(in *Input) { in.Services["data/serviceNames.json"] = []byte(`{}`) }, "apigateway: service has no name"},
		{"access level", replace("data/actions/s3.json", `"Read"`, `"Reed"`), `unexpected access level "Reed"`},
		{"key not declared", func(in *Input) { delete(in.Services, "data/conditionKeys/s3.json") }, "is not declared"},
		{"type not declared", func(in *Input) { delete(in.Services, "data/resourceTypes/s3.json") }, "resource type accesspointobject is not declared"},
		{"type of key", replace("data/conditionKeys/s3.json", `"String"`, `"Str"`), `unexpected type "Str"`},
		{"pattern", replace("data/resourceTypes/s3.json", `"arn:`, `"urn:`), "unexpected ARN pattern"},
		{"two of one name", replace("data/actions/s3.json", `"ListBucket"`, `"getobject"`), "is there twice"},
		{"RCP service missing", func(in *Input) { in.RCPServices = []byte("prefix\tname\tsource\ns3\tS3\t\n") }, "sts is missing"},
		{"RCP service too many", func(in *Input) { in.RCPServices = append(in.RCPServices, "ec2\tEC2\t\n"...) }, "ec2 is not in"},
		{"RCP service unknown", func(in *Input) {
			in.RCPServices = append(in.RCPServices, "x\tX\t\n"...)
			in.Services["data/rcpSupportedServices.json"] = []byte(`["s3","sts","x"]`)
		}, "x is no service"},
		{"fields", func(in *Input) { in.RCPServices = []byte("prefix\n") }, "fields are"},
		{"number of fields", func(in *Input) { in.RCPServices = append(in.RCPServices, "ec2\n"...) }, "1 fields, want 3"},
		{"empty table", func(in *Input) { in.RCPServices = []byte("prefix\tname\tsource\n") }, "empty"},
		{"confidence", func(in *Input) { in.ServicePrincipals = append(in.ServicePrincipals, "x\tmaybe\tno\t\t\n"...) }, "unexpected confidence"},
		{"calledvia", func(in *Input) { in.ServicePrincipals = append(in.ServicePrincipals, "x\tderived\t\t\t\n"...) }, "unexpected calledvia"},
		{"policy ARN", func(in *Input) {
			in.Policies["dist/managedPolicies.json"] = []byte(`{"A":{"arn":"arn:aws:iam::aws:policy/B","latestVersionId":"v1","versions":{"v1":{"document":{}}}}}`)
		}, "A: unexpected ARN"},
		{"no document", func(in *Input) {
			in.Policies["dist/managedPolicies.json"] = []byte(`{"A":{"arn":"arn:aws:iam::aws:policy/A","latestVersionId":"v2"}}`)
		}, "A: unexpected end"},
		{"no licence", func(in *Input) { delete(in.Policies, "LICENSE") }, "no licence"},
	} {
		in := readSample(t)
		c.change(&in)
		if _, err := Make(in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q in it", c.name, err, c.want)
		}
	}
}

func replace(file, from, to string) func(*Input) {
	return func(in *Input) {
		in.Services[file] = bytes.Replace(in.Services[file], []byte(from), []byte(to), 1)
	}
}

func TestOpen(t *testing.T) {
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	out := tar.NewWriter(zipped)
	const content = "{}"
	if err := out.WriteHeader(&tar.Header{Name: "package/data/x.json", Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	for _, close := range []func() error{out.Close, zipped.Close} {
		if err := close(); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha512.Sum512(archive.Bytes())
	p := Package{Name: "x", Version: "1.0.0", Integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
	files, err := p.Open(archive.Bytes())
	if err != nil || string(files["data/x.json"]) != content {
		t.Errorf("Open = %q, %v", files, err)
	}
	if _, err := p.Open(append(archive.Bytes(), 0)); err == nil || !strings.Contains(err.Error(), "x@1.0.0: integrity is sha512-") {
		t.Errorf("with a byte more: %v", err)
	}
	if _, err := Services.Open(archive.Bytes()); err == nil {
		t.Error("another archive opens")
	}
}

func TestDictionary(t *testing.T) {
	var texts [][]byte
	const often = "a line that is in every document, and so belongs into the dictionary\n"
	for i := range 3000 {
		texts = append(texts, []byte(often+strings.Repeat(string(rune('a'+i%26)), i%50)+"\n"))
	}
	dictionary := makeDictionary(texts)
	if len(dictionary) > dictionarySize || !bytes.Contains(dictionary, []byte(strings.TrimSpace(often)[:60])) {
		t.Errorf("dictionary of %d bytes", len(dictionary))
	}
	if got := makeDictionary(texts[:10]); got != nil {
		t.Errorf("dictionary of %d bytes for %d documents", len(got), 10)
	}
}

// The command is outside of ./..., so nothing else compiles it.
func TestCommandCompiles(t *testing.T) {
	// To read it says that the test depends on it.
	if _, err := os.ReadFile("../../_gen/main.go"); err != nil {
		t.Fatal(err)
	}
	vet := exec.Command("go", "vet", "./_gen")
	vet.Dir = filepath.Join("..", "..")
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
