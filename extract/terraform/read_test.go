package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"
)

func encode16(text string, big bool) []byte {
	out := []byte{0xFF, 0xFE}
	if big {
		out = []byte{0xFE, 0xFF}
	}
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

func TestReadRefuses(t *testing.T) {
	const plan = `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[]}`
	tests := []struct {
		name, in string
		format   Format
		want     string
	}{
		{"empty", "", Empty, "the file is empty"},
		{"blank", " \n\t", Empty, "the file is empty"},
		{"truncated", plan[:60], PlanJSON, "plan.json:1:61: the JSON ends too early"},
		{"truncated on a later line", "{\n\"format_version\":\"1.2\",\n\"resource_changes\":[{", PlanJSON, "plan.json:3:22: the JSON ends too early"},
		{"damaged", strings.Replace(plan, `:[]`, `:[}`, 1), PlanJSON, "plan.json:1:74: this is not valid JSON"},
		{"text after it", plan + plan, PlanJSON, "there is text after the plan"},
		{"other JSON", `{"Resources":{}}`, JSON, "this JSON is no Terraform plan"},
		{"array", `[1]`, JSON, "this JSON is no Terraform plan"},
		{"null", ` null `, JSON, "this JSON is no Terraform plan"},
		{"word", `nullable`, Unknown, "this is no JSON"},
		{"YAML", "Resources:\n  a: 1\n", Unknown, "this is no JSON"},
		{"no version", `{"resource_changes":[],"planned_values":{}}`, JSON, "no format_version"},
		{"version 2.0", strings.Replace(plan, `"1.2"`, `"2.0"`, 1), PlanJSON, `format_version "2.0" is not read`},
		{"version 0.0", strings.Replace(plan, `"1.2"`, `"0.0"`, 1), PlanJSON, `format_version "0.0" is not read`},
		{"version is a number", strings.Replace(plan, `"1.2"`, `2`, 1), PlanJSON, `is not read`},
		{"state", `{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{}}}`, StateJSON, "this is a state and not a plan"},
		{"state file", `{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"x","outputs":{}}`, StateFile, "this is a Terraform state file"},
		{"log", `{"@level":"info","@message":"Terraform 1.11.4","type":"version"}` + "\n" + `{"@level":"info"}`, LogJSON, "this is the log of `terraform plan -json`"},
		{"gzip", "\x1f\x8b\x08\x00", Gzip, "this is a gzip archive"},
		{"binary plan", "PK\x03\x04" + strings.Repeat("\x00", 26) + "tfplan", PlanFile, "this is a binary plan"},
		{"zip", "PK\x03\x04\x14\x00", Zip, "this is a zip archive and no Terraform plan"},
		{"encrypted", `{"serial":1,"lineage":"x","meta":{"key_provider":"p"},"encrypted_data":"AAAA","encryption_version":"v0"}`, Encrypted, "this plan is encrypted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(context.Background(), strings.NewReader(tt.in), "plan.json", Options{})
			var in *InputError
			if !errors.As(err, &in) {
				t.Fatalf("got error %v, want an InputError", err)
			}
			if !strings.Contains(err.Error(), tt.want) || in.Format != tt.format {
				t.Errorf("got %v (format %d), want %q (format %d)", err, in.Format, tt.want, tt.format)
			}
			if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "plan.json:") {
				t.Errorf("not one sentence about the input: %q", err)
			}
		})
	}
}

func TestReadEncodings(t *testing.T) {
	p := newTestPlan()
	p.create("aws_s3_bucket.é𝄞", obj{"bucket": "b"})
	text := string(p.bytes(t))
	for name, in := range map[string][]byte{
		"UTF-8":         []byte(text),
		"UTF-8 mark":    append([]byte("\uFEFF"), text...),
		"UTF-16LE mark": encode16(text, false),
		"UTF-16BE mark": encode16(text, true),
	} {
		if got := Sniff(in[:min(len(in), HeadSize)]); got != PlanJSON {
			t.Errorf("%s: sniffed as %d", name, got)
		}
		res, err := Read(context.Background(), io.MultiReader(bytes.NewReader(in[:7]), bytes.NewReader(in[7:])), "plan.json", Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		check(t, name, res.Inventory.Resources[0].Address, "aws_s3_bucket.é𝄞")
	}
}

func TestReadErrorsOfTheReader(t *testing.T) {
	broken := errors.New("broken pipe")
	_, err := Read(context.Background(), io.MultiReader(strings.NewReader(`{"format_version":"1.2",`), failing{broken}), "plan.json", Options{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := newTestPlan()
	p.create("aws_s3_bucket.b", obj{"bucket": "b"})
	if _, err := Read(ctx, bytes.NewReader(p.bytes(t)), "plan.json", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestReadIncomplete(t *testing.T) {
	p := newTestPlan()
	p.top["errored"], p.top["complete"] = true, false
	res := p.read(t)
	if len(res.Inventory.Incomplete) != 1 || !strings.Contains(res.Inventory.Incomplete[0], "errored") {
		t.Errorf("got %q", res.Inventory.Incomplete)
	}
	check(t, "diagnostics", warnings(res), "Plan is errored")

	p = newTestPlan()
	p.top["complete"] = false
	check(t, "diagnostics", warnings(p.read(t)), "Plan is incomplete")

	p = newTestPlan()
	p.top["resource_drift"] = arr{obj{"address": "aws_s3_bucket.b"}}
	res = p.read(t)
	if len(res.Inventory.Incomplete) != 0 || res.Inventory.Changes != 0 || len(res.Diagnostics) != 0 {
		t.Errorf("a plan without changes is fine, got %+v %v", res.Inventory, res.Diagnostics)
	}
}

// What is not of the shape that Terraform writes is never taken for nothing: a part that
// holds the others is refused, a single thing is left out and told.
func TestReadOddShapes(t *testing.T) {
	for in, want := range map[string]string{
		`"resource_changes":{}`:                                         "1:44: this is no plan as Terraform writes it: resource_changes is no list; ",
		`"resource_changes":"aws_iam_role.x"`:                           "resource_changes is no list; ",
		`"resource_changes":7`:                                          "resource_changes is no list; ",
		`"resource_changes":true`:                                       "resource_changes is no list; ",
		`"resource_changes":[],"planned_values":[]`:                     "planned_values is no object; ",
		`"resource_changes":[],"variables":[]`:                          "variables is no object; ",
		`"resource_changes":[],"prior_state":"x"`:                       "prior_state is no object; ",
		`"prior_state":{"values":[]},"resource_changes":[]`:             "prior_state.values is no object; ",
		`"prior_state":{"values":{"root_module":1}},"configuration":{}`: "prior_state.values.root_module is no object; ",
		`"prior_state":{"values":{"root_module":{"child_modules":[{"resources":{}}]}}},"configuration":{}`: "prior_state.values.root_module.child_modules.0.resources is no list; ",
		`"configuration":[]`: "configuration is no object; ",
		`"configuration":{"root_module":{"resources":{}}}`:                                                                                        "configuration.root_module.resources is no list; ",
		`"configuration":{"root_module":{"module_calls":{"m":{"module":"x"}}}}`:                                                                   "configuration.root_module.module_calls.m.module is no object; ",
		`"resource_changes":null,"planned_values":null,"configuration":null`:                                                                      "",
		`"resource_changes":[null]`:                                                                                                               "resource_changes.0 is not",
		`"resource_changes":[1,{}]`:                                                                                                               "resource_changes.0 is not resource_changes.1 is not",
		`"resource_changes":[{"mode":"managed","type":"aws_iam_role"}]`:                                                                           "(resource_changes.0.address is no text)",
		`"resource_changes":[{"mode":"managed","type":"aws_iam_role","change":[]}]`:                                                               "(resource_changes.0.change is no object)",
		`"resource_changes":[{"mode":"managed","type":"aws_iam_role","address":7,"change":{"actions":["create"]}}]`:                               "(resource_changes.0.address is no text)",
		`"resource_changes":[{"change":{"after":{"n":[1e999]},"actions":["create"]},"mode":"managed","type":"aws_iam_role"}]`:                     "(resource_changes.0.change.after.n.0 is no number of this size)",
		`"resource_changes":[{"mode":"managed","type":"aws_iam_role","change":{"actions":[["create"],"update"],"after":7}},{}]`:                   "resource_changes.1 is not (resource_changes.0.change.actions.0 is no text)",
		`"resource_changes":[{"mode":"managed","type":"aws_iam_role","change":{"actions":{}}}]`:                                                   "(resource_changes.0.change.actions is no list)",
		`"resource_changes":[{"mode":"managed","type":"aws_instance","address":7,"change":{"actions":[7]}},{"mode":1,"type":[],"index":{"a":1}}]`: "resource_changes.1 is not",
		`"resource_changes":[` + odd(`"change":{"actions":["create"],"after":{},"after_unknown":{"x":1e999}}`) + `,` + odd(`"change":{"actions":["create"],"after":{},"after_unknown":{"x":1e999}}`) + `]`: "(resource_changes.1.change.after_unknown.x is no number of this size)",
		`"resource_changes":[` + odd(`"type":"aws_route53_record","change":{"actions":["create"],"after":{}},"type":"aws_iam_role"`) + `]`:                                                                 "(resource_changes.0.type is no single text)",
		`"resource_changes":[` + odd(`"change":null`) + `]`:                                                          "(resource_changes.0.change is no object)",
		`"resource_changes":[` + odd(`"change":{}`) + `]`:                                                            "(resource_changes.0.change.actions is no list of actions)",
		`"resource_changes":[` + odd(`"change":{"actions":["create"],"after":"x"}`) + `]`:                            "(resource_changes.0.change.after is no object)",
		`"resource_changes":[` + odd(`"change":{"actions":["update"],"after":null}`) + `]`:                           "(resource_changes.0.change.after is no object)",
		`"resource_changes":[` + odd(`"change":{"actions":["delete"],"before":[1]}`) + `]`:                           "(resource_changes.0.change.before is no object)",
		`"resource_changes":[` + odd(`"change":{"actions":["no-op"],"before":{},"after":null}`) + `]`:                "(resource_changes.0.change.after is no object)",
		`"resource_changes":[` + odd(`"change":{"actions":["forget"],"before":null}`) + `]`:                          "(resource_changes.0.change.before is no object)",
		`"resource_changes":[` + odd(`"change":{"actions":["create"],"after":{},"after_unknown":{"x":"yes"}}`) + `]`: "(resource_changes.0.change.after_unknown is no tree of marks)",
		`"resource_changes":[` + odd(`"change":{"actions":["create"],"after":{},"after_sensitive":[true]}`) + `]`:    "(resource_changes.0.change.after_sensitive is no tree of marks)",
		`"resource_changes":[` + odd(`"type":7`) + `]`:                                                               "(resource_changes.0.type is no text)",
		`"resource_changes":[` + odd(`"type":""`) + `]`:                                                              "(resource_changes.0.type is no type of a resource)",
		`"resource_changes":[` + odd(`"mode":"Managed"`) + `]`:                                                       "(resource_changes.0.mode is no mode of a resource",
		`"resource_changes":[` + odd(`"previous_address":5,"change":{"actions":["create"],"after":{},"after_unknown":{"x":1e999}}`) + `,` + odd(`"change":{"actions":["create"],"after":{},"after_unknown":{"x":1e999}}`) + `]`: "(resource_changes.1.change.after_unknown.x is no number of this size)",
		`"resource_changes":[],"planned_values":{"root_module":7}`:                                                                                           "planned_values.root_module is no object; ",
		`"resource_changes":[],"timestamp":1,"errored":"x","complete":null`:                                                                                  "timestamp is not errored is not",
		`"resource_changes":[],"variables":{"v":1}`:                                                                                                          "variables.v is not",
		`"prior_state":{"values":{"root_module":{"resources":[{"mode":"data","type":"aws_caller_identity","values":[]}]}}},"configuration":{}`:               "cannot unmarshal",
		`"configuration":{"root_module":{"resources":[1,{"mode":"managed","type":"aws_iam_role","expressions":[]}],"variables":{"x":1},"outputs":{"o":[]}}}`: "resources.0 is not configuration.root_module.resources.1 is not configuration.root_module.variables.x is not configuration.root_module.outputs.o is not",
	} {
		t.Run(in, func(t *testing.T) {
			res, err := Read(t.Context(), strings.NewReader(`{"format_version":"1.2",`+in+`}`), "plan.json", Options{})
			var said []string
			if err != nil {
				said = []string{err.Error()}
			} else {
				for _, d := range res.Diagnostics {
					said = append(said, d.Detail)
				}
			}
			got := strings.Join(said, " ")
			if want == "" && got != "" {
				t.Errorf("got %q, want nothing", got)
			}
			for _, part := range strings.SplitAfter(want, " is not") {
				if !strings.Contains(got, strings.TrimSpace(part)) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// odd is a change with some members of its own.
func odd(members string) string {
	return `{"address":"aws_iam_role.x","mode":"managed","type":"aws_iam_role","name":"x",` + members + `}`
}

// A resource that is not understood may hold any policy, but for what the configuration
// tells.
func TestOddResources(t *testing.T) {
	p := newTestPlan()
	p.create("aws_iam_role.r", obj{"name": "r", "assume_role_policy": trustLambda}, "arn")
	p.create("aws_iam_role.s", obj{"name": "s", "assume_role_policy": trustLambda}, "arn")
	for _, name := range []string{"a", "b"} {
		p.changes = append(p.changes, obj{"address": "aws_iam_role_policy." + name, "mode": "managed", "type": "aws_iam_role_policy", "name": name, "change": nil})
	}
	block(p.root, "aws_iam_role_policy.a", obj{"role": constant("r"), "policy": constant(allowRead)})
	var got []string
	for _, principal := range p.read(t).Inventory.Principals {
		for _, doc := range principal.Identity {
			got = append(got, fmt.Sprintf("%s: %s %v %q", principal.Address, doc.ID, doc.Sure, doc.Unread))
		}
	}
	check(t, "policies", strings.Join(got, "\n"), strings.Join([]string{
		`aws_iam_role.r: aws_iam_role_policy.a.policy true ""`,
		`aws_iam_role.r: aws_iam_role_policy.b.policy unknown "known only after apply"`,
		`aws_iam_role.s: aws_iam_role_policy.b.policy unknown "known only after apply"`,
	}, "\n"))
}

// A policy that a resource cannot be without is there, whatever its references lead to.
func TestRequiredPolicies(t *testing.T) {
	p := newTestPlan()
	p.create("aws_s3_bucket.b", obj{"bucket": "b"}, "arn")
	p.create("aws_s3_bucket_policy.b", obj{"bucket": "b"}, "policy")
	block(p.root, "aws_s3_bucket_policy.b", obj{"bucket": constant("b"), "policy": refs("data.aws_iam_policy_document.gone.json")})
	inv := p.read(t).Inventory
	if got := inv.Resources[0].Policies; len(got) != 1 || !strings.Contains(got[0].Unread, "data.aws_iam_policy_document.gone.json") {
		t.Errorf("the bucket has %v", got)
	}
}

// Nothing in the values of a plan may make Read panic or give up.
func TestReadOddValues(t *testing.T) {
	for _, in := range []string{
		`{"format_version":"1.2","resource_changes":[{"mode":"managed","type":"aws_iam_role","address":"aws_iam_role.x","change":{"actions":["create"],"after":[],"after_unknown":"x"}}]}`,
		`{"format_version":"1.2","resource_changes":[{"mode":"managed","type":"aws_iam_role","address":"aws_iam_role.x","change":{"actions":["create"],"after":{"name":{},"inline_policy":{"a":1},"managed_policy_arns":[1,null],"assume_role_policy":5,"permissions_boundary":[]},"after_unknown":{"inline_policy":[3],"name":[true]}}}]}`,
		`{"format_version":"1.2","resource_changes":[],"configuration":{"root_module":{"resources":[]},"provider_config":{"aws":{"name":"aws","expressions":{"region":{"references":["var.r",".","[","module.m.o"]}}}}}}`,
	} {
		if _, err := Read(context.Background(), strings.NewReader(in), "plan.json", Options{}); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	p := newTestPlan()
	manyResources(p)
	f.Add(p.bytes(f))
	f.Add([]byte(`{"format_version":"0.1","resource_changes":[{"mode":"managed","type":"aws_s3_bucket_policy","address":"aws_s3_bucket_policy.b[0]","index":0,"change":{"actions":["create"],"after":{},"after_unknown":{"policy":true,"bucket":true}}}]}`))
	f.Add([]byte(`{"format_version":"1.2","values":{}}`))
	f.Add(encode16(`{"format_version":"1.2","resource_changes":[]}`, true))
	f.Fuzz(func(t *testing.T, in []byte) {
		res, err := Read(context.Background(), bytes.NewReader(in), "plan.json", Options{ManagedPolicy: managedForTests})
		if (res == nil) == (err == nil) {
			t.Errorf("result %v with error %v", res, err)
		}
	})
}

// manyResources fills a plan with one of each kind of thing that is read.
func manyResources(p *testPlan) {
	p.create("aws_iam_role.r", obj{"name": "r", "assume_role_policy": trustLambda, "inline_policy": arr{obj{"name": "i", "policy": allowRead}}}, "arn", "id", "managed_policy_arns")
	p.create("aws_iam_policy.p", obj{"name": "p", "policy": allowRead}, "arn", "id")
	p.create("aws_iam_role_policy_attachment.a", obj{"role": "r"}, "policy_arn")
	block(p.root, "aws_iam_role_policy_attachment.a", obj{"role": refs("aws_iam_role.r.name"), "policy_arn": refs("aws_iam_policy.p.arn")})
	p.create(`module.m["k"].aws_s3_bucket.b`, obj{"bucket_prefix": "b-"}, "bucket", "arn", "id")
	p.create(`module.m["k"].aws_s3_bucket_policy.b`, obj{}, "bucket", "policy")
	m := call(p.root, "m", obj{"name": constant("x"), "nothing": constant(nil)})
	block(m, "aws_s3_bucket.b", obj{})
	block(m, "aws_s3_bucket_policy.b", obj{"bucket": refs("aws_s3_bucket.b.id"), "policy": refs("local.p", "var.name")})
	p.create("aws_lambda_permission.l", obj{"function_name": "f", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com"}, "source_arn")
	p.create("aws_kms_grant.g", obj{"operations": arr{"Decrypt"}, "key_id": "1234", "grantee_principal": "arn:aws:iam::123456789012:role/r", "constraints": arr{obj{"encryption_context_equals": obj{"a": "b"}}}})
	p.create("aws_organizations_policy.o", obj{"content": allowAll, "type": "SERVICE_CONTROL_POLICY"}, "id")
	p.create("aws_organizations_policy_attachment.o", obj{"target_id": "r-ab12"}, "policy_id")
	block(p.root, "aws_organizations_policy_attachment.o", obj{"policy_id": refs("aws_organizations_policy.o.id")})
	p.create("aws_vpc_endpoint.e", obj{"service_name": "com.amazonaws.us-east-1.s3", "policy": denyAll}, "id", "vpc_id")
	p.create("aws_cloudtrail.t", obj{"name": "t", "s3_bucket_name": "logs"}, "arn")
	p.create("aws_ssoadmin_permission_set.s", obj{"name": "s"}, "arn")
	p.state("data.aws_caller_identity.me", obj{"account_id": "123456789012"})
}

func BenchmarkRead(b *testing.B) {
	p := newTestPlan()
	for i := range 1000 {
		n := fmt.Sprintf("[%d]", i)
		p.create("aws_iam_role.r"+n, obj{"name": fmt.Sprintf("r-%d", i), "assume_role_policy": trustLambda}, "arn", "id", "inline_policy", "managed_policy_arns")
		p.create("aws_iam_policy.p"+n, obj{"name": fmt.Sprintf("p-%d", i), "policy": allowRead}, "arn", "id")
		p.create("aws_iam_role_policy_attachment.a"+n, obj{}, "role", "policy_arn")
		p.create("aws_s3_bucket.b"+n, obj{"bucket": fmt.Sprintf("b-%d", i)}, "arn", "id", "policy")
		p.create("aws_s3_bucket_policy.b"+n, obj{"policy": denyAll}, "bucket")
	}
	block(p.root, "aws_iam_role.r", obj{})
	block(p.root, "aws_iam_role_policy_attachment.a", obj{"role": refs("aws_iam_role.r", "count.index"), "policy_arn": refs("aws_iam_policy.p", "count.index")})
	block(p.root, "aws_s3_bucket.b", obj{})
	block(p.root, "aws_s3_bucket_policy.b", obj{"bucket": refs("aws_s3_bucket.b", "count.index")})
	text := p.bytes(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(context.Background(), bytes.NewReader(text), "plan.json", Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
