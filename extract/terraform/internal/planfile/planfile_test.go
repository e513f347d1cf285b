package planfile

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tfguard/tfguard/fixtures"
)

// everything visits all of a plan file.
func everything(ctx context.Context, f *File) (p *Plan, changes []*Change, resources []*Resource, err error) {
	p, err = f.Plan(ctx, &Visitor{
		Wants:  func(string, []string) bool { return true },
		Change: func(c *Change) { changes = append(changes, c) },
		Odd:    func(string, error) {},
	})
	if err == nil {
		err = f.State(ctx, &Stock{
			Wants:    func(string, string) bool { return true },
			Resource: func(r *Resource) { resources = append(resources, r) },
		})
	}
	return p, changes, resources, err
}

func open(t testing.TB, content []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRead(t *testing.T) {
	f := open(t, fixtures.Read(t, "terraform/sensitive/tfplan"))
	p, changes, _, err := everything(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if p.Terraform != "1.11.4" || p.Timestamp != "2026-11-21T20:32:50Z" || p.Errored || p.Incomplete {
		t.Errorf("%+v", p)
	}
	var partner *Change
	for _, c := range changes {
		if c.Address == "aws_iam_role.partner" {
			partner = c
		}
	}
	if partner == nil {
		t.Fatalf("no partner among %d changes", len(changes))
	}
	want := map[string]any{"assume_role_policy": true, "tags": map[string]any{"Partner": true}}
	if !reflect.DeepEqual(partner.AfterSensitive, want) {
		t.Errorf("sensitive %v", partner.AfterSensitive)
	}
	late, _ := partner.Unknown.(map[string]any)
	after, _ := partner.After.(map[string]any)
	if _, shown := after["arn"]; late["arn"] != true || shown || after["name"] != "partner" {
		t.Errorf("unknown %v, after %v", late, after)
	}
	if partner.Before != nil || !reflect.DeepEqual(partner.Actions, []string{"create"}) {
		t.Errorf("%+v", partner)
	}

	text, err := fs.ReadFile(f.Configuration(), "m-/main.tf")
	if err != nil || !bytes.Equal(text, fixtures.Read(t, "terraform/sensitive/main.tf")) {
		t.Errorf("the configuration is another one (%v):\n%s", err, text)
	}
}

// State addresses are spelled as those of the plan, or what belongs together does not
// meet.
func TestStateAddresses(t *testing.T) {
	for _, name := range []string{"modules-nested", "approved-ips", "styles"} {
		_, _, resources, err := everything(t.Context(), open(t, fixtures.Read(t, "terraform/"+name+"/tfplan")))
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.ReplaceAll(string(fixtures.Read(t, "terraform/"+name+"/plan.json")), `": "`, `":"`)
		for _, r := range resources {
			if quoted, err := json.Marshal(r.Address); err != nil || !strings.Contains(plan, `"address":`+string(quoted)) {
				t.Errorf("%s: the plan does not know %s", name, r.Address)
			}
		}
	}
	r := &Resource{Mode: "managed", Type: "t", Name: "n", Index: "g\"q/é\n${x}%{y}\\\u0001\U000E0001$"}
	if got, want := r.address(), `t.n["g\"q/é\n$${x}%%{y}\\\u0001\U000e0001$"]`; got != want {
		t.Errorf("address %s, want %s", got, want)
	}
}

// wire writes a protocol buffer.
type wire []byte

func (w wire) number(num protowire.Number, n uint64) wire {
	return protowire.AppendVarint(protowire.AppendTag(w, num, protowire.VarintType), n)
}

func (w wire) bytes(num protowire.Number, content []byte) wire {
	return protowire.AppendBytes(protowire.AppendTag(w, num, protowire.BytesType), content)
}

func pack(t testing.TB, v any) []byte {
	t.Helper()
	text, err := msgpack.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return wire(nil).bytes(valueMsgpack, text)
}

// change is a change with values, before and after as the action has them.
func change(t testing.TB, address string, action uint64, values ...any) []byte {
	t.Helper()
	detail := wire(nil).number(detailAction, action)
	for _, v := range values {
		detail = detail.bytes(detailValues, pack(t, v))
	}
	return wire(nil).bytes(changeChange, detail).bytes(changeAddress, []byte(address))
}

func TestActions(t *testing.T) {
	a, b := map[string]any{"x": "a"}, map[string]any{"x": "b"}
	for _, tt := range []struct {
		action        uint64
		values        []any
		want          string
		before, after any
	}{
		{0, []any{a}, "no-op", a, a},
		{1, []any{b}, "create", nil, b},
		{2, []any{nil, b}, "read", nil, b},
		{3, []any{a, b}, "update", a, b},
		{5, []any{a}, "delete", a, nil},
		{6, []any{a, b}, "delete create", a, b},
		{7, []any{a, b}, "create delete", a, b},
		{8, []any{a}, "forget", a, nil},
		{9, []any{a, b}, "create forget", a, b},
	} {
		plan := wire(nil).number(planVersion, 3).bytes(planChanges, change(t, "t.n", tt.action, tt.values...))
		var got *Change
		_, err := readPlan(t.Context(), plan, &Visitor{
			Wants:  func(string, []string) bool { return true },
			Change: func(c *Change) { got = c },
			Odd:    func(address string, err error) { t.Errorf("%s: %v", address, err) },
		})
		if err != nil || got == nil {
			t.Fatalf("%s: %v", tt.want, err)
		}
		if strings.Join(got.Actions, " ") != tt.want || !reflect.DeepEqual(got.Before, tt.before) || !reflect.DeepEqual(got.After, tt.after) {
			t.Errorf("%+v, want %s of %v to %v", got, tt.want, tt.before, tt.after)
		}
	}
}

// What cannot be read of one resource is said of that one, and the rest is read.
func TestOdd(t *testing.T) {
	short := change(t, "t.short", 3, map[string]any{})
	newer := change(t, "t.newer", 77, map[string]any{})
	nest := bytes.Repeat([]byte{0x91}, 100_000)
	deep := wire(nil).bytes(changeAddress, []byte("t.deep")).
		bytes(changeChange, wire(nil).number(detailAction, 1).bytes(detailValues, wire(nil).bytes(valueMsgpack, nest)))
	plan := wire(nil).number(planVersion, 3)
	for _, c := range [][]byte{short, newer, deep, change(t, "t.good", 1, map[string]any{"x": true})} {
		plan = plan.bytes(planChanges, c)
	}
	var good []string
	odd := map[string]string{}
	_, err := readPlan(t.Context(), plan, &Visitor{
		Wants:  func(string, []string) bool { return true },
		Change: func(c *Change) { good = append(good, c.Address) },
		Odd:    func(address string, err error) { odd[address] = err.Error() },
	})
	want := map[string]string{
		"t.short": errValues.Error(), "t.newer": errAction.Error(),
		"t.deep": "a value is malformed (a value is nested too deeply)",
	}
	if err != nil || !reflect.DeepEqual(good, []string{"t.good"}) || !reflect.DeepEqual(odd, want) {
		t.Errorf("%v, good %q, odd %v", err, good, odd)
	}
}

func TestIncomplete(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan wire
		want bool
	}{
		{"of before Terraform 1.8", wire(nil), false},
		{"-target before Terraform 1.8", wire(nil).bytes(planTargets, []byte("t.n")), true},
		{"complete", wire(nil).number(planApplyable, 1).number(planComplete, 1), false},
		{"no-op", wire(nil).number(planComplete, 1), false},
		{"part", wire(nil).number(planApplyable, 1), true},
		{"deferred", wire(nil).bytes(planDeferred, nil), true},
	} {
		p, err := readPlan(t.Context(), append(wire(nil).number(planVersion, 3), tt.plan...), &Visitor{})
		if err != nil || p.Incomplete != tt.want {
			t.Errorf("%s: %v, incomplete %v", tt.name, err, p.Incomplete)
		}
	}
}

func TestValues(t *testing.T) {
	for _, tt := range []struct {
		name           string
		text           []byte
		known, unknown any
	}{
		{"unknown", []byte{0xd4, 0, 0}, nil, true},
		{"unknown with a prefix", []byte{0xc7, 2, 0x0c, 0x80, 0}, nil, true},
		{"in an object", []byte("\x82\xa1a\xd4\x00\x00\xa1b\x01"), map[string]any{"b": 1.0}, map[string]any{"a": true}},
		{"in a list", []byte("\x92\xa1a\xd4\x00\x00"), []any{"a", nil}, []any{nil, true}},
		{"of a dynamic type", []byte("\x92\xc4\x08\"string\"\xa1a"), "a", nil},
		{"null in a list", []byte("\x92\xc0\xc3"), []any{nil, true}, nil},
		{"number", []byte("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), 1.5, nil},
	} {
		known, unknown, err := decode(tt.text)
		if err != nil || !reflect.DeepEqual(known, tt.known) || !reflect.DeepEqual(unknown, tt.unknown) {
			t.Errorf("%s: %v, %v, %v", tt.name, known, unknown, err)
		}
	}
	for _, text := range []string{"", "\x82\xa1a", "\x92\xa1a", "\xc1", "\xd9\xffa", "\x81\x01\x01", "\xc9\xff\xff\xff\xff\x00"} {
		if _, _, err := decode([]byte(text)); err == nil {
			t.Errorf("%q is decoded", text)
		}
	}
}

func TestMarks(t *testing.T) {
	path := func(steps ...any) []byte {
		var out wire
		for _, s := range steps {
			switch s := s.(type) {
			case string:
				out = out.bytes(pathSteps, wire(nil).bytes(stepAttribute, []byte(s)))
			default:
				out = out.bytes(pathSteps, wire(nil).bytes(stepElement, pack(t, s)))
			}
		}
		return out
	}
	got, err := marks([][]byte{path("a", "b"), path("c", 1, "d"), path("c", 1, "e"), path("s", []string{"of a set"}, "x")})
	want := map[string]any{
		"a": map[string]any{"b": true},
		"c": []any{nil, map[string]any{"d": true, "e": true}},
		"s": true,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got, _ := marks([][]byte{path("c", 1e9)}); !reflect.DeepEqual(got, map[string]any{"c": true}) {
		t.Errorf("%v", got)
	}
}

// archive makes a plan file.
func archive(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A small archive that unpacks to much is not unpacked further than any plan is large.
func TestBombs(t *testing.T) {
	plan, err := fixtures.FS.Open("terraform/styles/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(&limited{plan, "tfplan", 10})
	var known *Error
	if !errors.As(err, &known) || !strings.Contains(err.Error(), "larger than any plan") {
		t.Errorf("error %v", err)
	}

	source := archive(t, map[string][]byte{"tfplan": wire(nil).number(planVersion, 3), "tfconfig/m-/main.tf": make([]byte, maxSource+1)})
	if len(source) > 1<<20 {
		t.Fatalf("%d bytes are no bomb", len(source))
	}
	if _, err := fs.ReadFile(open(t, source).Configuration(), "m-/main.tf"); !errors.As(err, &known) {
		t.Errorf("source: %v", err)
	}
	many := map[string][]byte{}
	for i := range maxEntries + 1 {
		many[strconv.Itoa(i)] = nil
	}
	content := archive(t, many)
	if _, err := Open(bytes.NewReader(content), int64(len(content))); !errors.As(err, &known) {
		t.Errorf("files: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	good := wire(nil).number(planVersion, 3)
	for name, tt := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"no plan":         {map[string][]byte{"index.py": nil}, "it has no file tfplan"},
		"no version":      {map[string][]byte{"tfplan": nil}, "format 0"},
		"newer":           {map[string][]byte{"tfplan": wire(nil).number(planVersion, 4).bytes(planTerraform, []byte("2.0.0"))}, "format 4 (Terraform 2.0.0)"},
		"cut off":         {map[string][]byte{"tfplan": good.bytes(planChanges, []byte("12345"))[:5]}, "the plan file is damaged: the protocol buffer is cut off"},
		"no state":        {map[string][]byte{"tfplan": good}, "it has no file tfstate"},
		"state":           {map[string][]byte{"tfplan": good, "tfstate": []byte("[")}, "its state cannot be read"},
		"state version 5": {map[string][]byte{"tfplan": good, "tfstate": []byte(`{"version":5}`)}, "it is of version 5"},
		"state shape":     {map[string][]byte{"tfplan": good, "tfstate": []byte(`{"version":4,"resources":[{"mode":1}]}`)}, "its state cannot be read"},
	} {
		content := archive(t, tt.files)
		f, err := Open(bytes.NewReader(content), int64(len(content)))
		if err == nil {
			_, _, _, err = everything(t.Context(), f)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// Changes that are left to a further plan are named, and make the plan incomplete.
func TestDeferredChanges(t *testing.T) {
	late := wire(nil).bytes(1, []byte("\x08\x02")).bytes(deferredChange, wire(nil).bytes(changeAddress, []byte("aws_iam_role.team[*]")))
	text := wire(nil).number(planVersion, version).number(planApplyable, 1).bytes(planDeferred, late)
	var deferred []string
	p, err := readPlan(t.Context(), text, &Visitor{Deferred: func(address string) { deferred = append(deferred, address) }})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Incomplete || !slices.Equal(deferred, []string{"aws_iam_role.team[*]"}) {
		t.Errorf("incomplete %t, deferred %q", p.Incomplete, deferred)
	}
	if _, err := readPlan(t.Context(), text[:len(text)-3], &Visitor{}); err == nil {
		t.Error("a plan that is cut off is read")
	}
}

func FuzzPlan(f *testing.F) {
	for _, name := range []string{"sensitive", "unknowns", "modules-nested"} {
		content := fixtures.Read(f, "terraform/"+name+"/tfplan")
		text, err := fs.ReadFile(open(f, content).zip, "tfplan")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("\x08\x03\x12\x05\x0a\x01x\x12\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = readPlan(t.Context(), text, &Visitor{
			Wants:  func(string, []string) bool { return true },
			Change: func(*Change) {},
			Odd:    func(string, error) {},

			Deferred: func(string) {},
		})
	})
}

func FuzzFile(f *testing.F) {
	for _, name := range []string{"terraform/sensitive", "invalid/plan-file-truncated", "invalid/plan-file-damaged"} {
		f.Add(fixtures.Read(f, name+"/tfplan"))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := Open(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		_, _, _, _ = everything(t.Context(), file)
		if files := file.Configuration(); files != nil {
			_, _ = fs.ReadFile(files, "modules.json")
		}
	})
}
