package chain_test

import (
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
)

const (
	cloudtrail = "cloudtrail.amazonaws.com"
	keyARN     = "arn:aws:kms:eu-west-1:" + account + ":key/1"
	ofTrail    = "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/"
	aclCheck   = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::logs"}`
)

func put(resource, condition string) string {
	return statement("Allow", service(cloudtrail), "s3:PutObject", "arn:aws:s3:::logs/"+resource, condition)
}

// The key of a trail: for whom CloudTrail encrypts.
func TestCloudTrailKey(t *testing.T) {
	generate := func(condition string) string {
		return statement("Allow", service(cloudtrail), "kms:GenerateDataKey*", "*", condition)
	}
	context := func(arn string) string {
		return `{"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"` + arn + `"}}`
	}
	mine := []chain.Trail{{ARN: lit(ofTrail + "mine"), Key: lit(keyARN)}}
	for _, tc := range []struct {
		name, policy string
		trails       []chain.Trail
		source       string
		want         engine.Verdict
	}{
		{"the policy of the documentation", generate(context("arn:aws:cloudtrail:*:" + account + ":trail/*")), nil, ofTrail + "example", engine.Allowed},
		{"nothing said", generate(""), nil, ofTrail + "example", engine.Allowed},
		{"all of CloudTrail", generate(context("arn:aws:cloudtrail:*:" + account + ":*")), nil, ofTrail + "example", engine.Allowed},
		{"any account", generate(context("arn:aws:cloudtrail:*:*:trail/*")), nil, ofTrail + "example", engine.Allowed},
		{"another account", generate(context("arn:aws:cloudtrail:*:444455556666:trail/*")), nil, "arn:aws:cloudtrail:eu-west-1:444455556666:trail/example", engine.Allowed},
		{"no ARN", generate(context("*trail*")), nil, "exampletrailexample", engine.Allowed},
		{"a trail that the policy names", generate(`{"StringEquals":{"aws:SourceArn":"` + ofTrail + `t"},"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:` + account + `:trail/*"}}`), nil, ofTrail + "t", engine.Allowed},
		{"named by another statement", generate("") + "," + statement("Allow", service(cloudtrail), "kms:DescribeKey", "*", `{"StringEquals":{"aws:SourceArn":"`+ofTrail+`t"}}`), nil, ofTrail + "t", engine.Allowed},
		{"a trail of the input", generate(context("arn:aws:cloudtrail:*:" + account + ":trail/*")), mine, ofTrail + "mine", engine.Allowed},
		{"a trail of the input that the policy does not let in", generate(context(ofTrail + "other")), mine, ofTrail + "mine", engine.ImplicitDeny},
		{"a trail with another key", generate(context(ofTrail + "other")), []chain.Trail{{ARN: lit(ofTrail + "mine"), Key: lit(keyARN + "0")}, {ARN: lit(ofTrail + "none")}}, ofTrail + "other", engine.Allowed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.resource(t, keyARN, tc.policy)
			w.trails = tc.trails
			r := find(t, run(w, "service-principal"), "service-principal", "kms:GenerateDataKey", cloudtrail)
			if r.Verdict != tc.want {
				t.Errorf("got %v, want %v", r.Verdict, tc.want)
			}
			for _, key := range []string{"aws:SourceArn", "kms:EncryptionContext:aws:cloudtrail:arn"} {
				if got := value(t, r, 0, key); got != tc.source {
					t.Errorf("%s: got %s, want %s", key, got, tc.source)
				}
			}
		})
	}
}

// The ARN of a trail in a policy whose account is known only after apply.
func TestCloudTrailKeyOfAnUnknownAccount(t *testing.T) {
	w := newWorld(t)
	unknown := symbol.Symbol{Name: "account", Class: symbol.Segment, Unique: true}.Text()
	w.env.Account = unknown
	k := w.resource(t, keyARN, statement("Allow", service(cloudtrail), "kms:GenerateDataKey*", "*", `{"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"x"}}`))
	k.Account = unknown
	k.Policies[0].Statements[0].Conditions[0].Values[0].Text = symbol.Concat(lit("arn:aws:cloudtrail:*:"), unknown, lit(":trail/*"))
	r := find(t, run(w, "service-principal"), "service-principal", "kms:GenerateDataKey", cloudtrail)
	if got, want := value(t, r, 0, "aws:SourceArn"), "arn:aws:cloudtrail:eu-west-1:${account}:trail/example"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What CloudTrail and other services say of the encryption of what they write.
func TestEncryptionHeaders(t *testing.T) {
	const (
		sse, kms = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
		notKMS   = `{"StringNotEquals":{"` + sse + `":"aws:kms"}}`
		none     = `{"Null":{"` + sse + `":"true"}}`
		otherKey = `{"StringNotEquals":{"` + kms + `":"` + keyARN + `"}}`
	)
	refuse := func(condition string) string {
		return statement("Deny", everyone, "s3:PutObject", "arn:aws:s3:::logs/*", condition)
	}
	ask := func(value string) string { return `{"StringLike":{"` + sse + `":"` + value + `"}}` }
	trail := func(key string) []chain.Trail {
		return []chain.Trail{{ARN: lit(ofTrail + "t"), Bucket: lit("logs"), Key: lit(key)}}
	}
	unknown := func(key, service string) string { return "?${" + key + " as " + service + " sends it}" }
	for _, tc := range []struct {
		name     string
		trails   []chain.Trail
		service  string // of the generic chain; empty for CloudTrail
		allow    string // the condition
		deny     string
		sse, kms string
		want     engine.Verdict
	}{
		{"a trail with a key", trail(keyARN), "", "", refuse(notKMS) + "," + refuse(none) + "," + refuse(otherKey), "aws:kms", keyARN, engine.Allowed},
		{"a trail with another key", trail(keyARN + "0"), "", "", refuse(otherKey), "aws:kms", keyARN + "0", engine.ExplicitDeny},
		{"a trail with a key by its alias", trail("arn:aws:kms:eu-west-1:" + account + ":alias/a"), "", "", refuse(otherKey), "aws:kms", "${the key of arn:aws:kms:eu-west-1:" + account + ":alias/a}", engine.Unknown},
		{"a trail without a key", trail(""), "", "", refuse(none), "", "", engine.ExplicitDeny},
		{"a trail without a key that must have one", trail(""), "", ask("aws:kms"), "", "", "", engine.ImplicitDeny},
		{"some trail", nil, "", "", refuse(none), unknown(sse, cloudtrail), "", engine.Unknown},
		{"some trail with a key", nil, "", ask("aws:kms"), refuse(none), "aws:kms", "", engine.Allowed},
		{"a service", nil, "guardduty.amazonaws.com", "", "", "", "", engine.Allowed},
		{"a service that must encrypt", nil, "guardduty.amazonaws.com", "", refuse(notKMS), unknown(sse, "guardduty.amazonaws.com"), "", engine.Unknown},
		{"a service that must name a key", nil, "guardduty.amazonaws.com", "", refuse(otherKey), "", unknown(kms, "guardduty.amazonaws.com"), engine.Unknown},
		{"a service that encrypts", nil, "guardduty.amazonaws.com", ask("aws:kms"), refuse(notKMS) + "," + refuse(otherKey), "aws:kms", unknown(kms, "guardduty.amazonaws.com"), engine.Unknown},
		{"a service that encrypts in some way", nil, "guardduty.amazonaws.com", ask("*"), refuse(notKMS), "${the kind of encryption}", "", engine.Unknown},
		{"a service that encrypts in a way with KMS", nil, "guardduty.amazonaws.com", ask("aws:kms*"), refuse(notKMS), "aws:kms", "", engine.Allowed},
		{"a service that encrypts without KMS", nil, "guardduty.amazonaws.com", ask("AES256"), refuse(otherKey), "AES256", "", engine.ExplicitDeny},
		{"a service that encrypts with the key", nil, "guardduty.amazonaws.com", `{"StringEquals":{"` + sse + `":"aws:kms","` + kms + `":"` + keyARN + `"}}`, refuse(notKMS) + "," + refuse(otherKey), "aws:kms", keyARN, engine.Allowed},
		{"a service that must not encrypt", nil, "guardduty.amazonaws.com", `{"Null":{"` + sse + `":"true"},"StringNotEquals":{"` + kms + `":"x"}}`, "", "", "", engine.Allowed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			text := aclCheck + "," + put("*", tc.allow)
			id, who, hop := "cloudtrail-s3", cloudtrail, 1
			if tc.service != "" {
				text, id, who, hop = strings.ReplaceAll(put("*", tc.allow), cloudtrail, tc.service), "service-principal", tc.service, 0
			}
			if tc.deny != "" {
				text += "," + tc.deny
			}
			b := w.bucket(t, "logs", text)
			w.trails = tc.trails
			r := find(t, run(w, id), id, "s3:PutObject", who)
			if r.Verdict != tc.want {
				t.Errorf("got %v, want %v: %q", r.Verdict, tc.want, hops(r))
			}
			if got := value(t, r, hop, sse); got != tc.sse {
				t.Errorf("%s: got %q, want %q", sse, got, tc.sse)
			}
			if got := value(t, r, hop, kms); got != tc.kms {
				t.Errorf("%s: got %q, want %q", kms, got, tc.kms)
			}
			if tc.name != "a service" {
				return
			}
			b.RCP = []engine.Level{{parse(t, policy.RCP, "rcp", statement("Deny", everyone, "s3:PutObject", "*", none))}}
			verdict(t, find(t, run(w, id), id, "s3:PutObject", who), engine.Unknown, 1)
		})
	}
}

// Every header that a statement asks for is sent.
func TestHeadersOfTheStatement(t *testing.T) {
	w := newWorld(t)
	w.bucket(t, "data", statement("Allow", service("guardduty.amazonaws.com"), "s3:PutObject", "*",
		`{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","s3:x-amz-storage-class":["STANDARD_IA","GLACIER"]},"StringNotEquals":{"s3:x-amz-content-sha256":"UNSIGNED-PAYLOAD"}}`))
	r := find(t, run(w, "service-principal"), "service-principal", "s3:PutObject", "guardduty.amazonaws.com")
	verdict(t, r, engine.Allowed, 0)
	for key, want := range map[string]string{"s3:x-amz-acl": "bucket-owner-full-control", "s3:x-amz-storage-class": "STANDARD_IA", "s3:x-amz-content-sha256": ""} {
		if got := value(t, r, 0, key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
}

// Of several trails of one bucket or key the worst counts.
func TestSeveralTrails(t *testing.T) {
	from := func(trails ...string) string {
		return `{"StringEquals":{"aws:SourceArn":["` + ofTrail + strings.Join(trails, `","`+ofTrail) + `"]}}`
	}
	acl := func(trails ...string) string {
		return statement("Allow", service(cloudtrail), "s3:GetBucketAcl", "*", from(trails...))
	}
	refuse := func(name string) string { return statement("Deny", everyone, "s3:PutObject", "*", from(name)) }
	unsure := statement("Allow", service(cloudtrail), "s3:*", "*", `{"StringEquals":{"aws:SourceArn":"`+ofTrail+`b","aws:userid":"x"}}`)
	for _, tc := range []struct {
		name, policy string
		want         engine.Verdict
		hop          int
		note         string
	}{
		{"all allowed", aclCheck + "," + put("*", ""), engine.Allowed, 1, "judged for each of 3 trails: " + ofTrail + "a is shown, all are allowed"},
		{"one not let in", aclCheck + "," + put("*", from("a", "c")), engine.ImplicitDeny, 1, "judged for each of 3 trails: " + ofTrail + "b decided"},
		{"one not let in at the check", acl("a", "b") + "," + put("*", ""), engine.ImplicitDeny, 0, "judged for each of 3 trails: " + ofTrail + "c decided"},
		{"one not let in, one shut out", aclCheck + "," + put("*", from("a", "c")) + "," + refuse("c"), engine.ExplicitDeny, 1, "judged for each of 3 trails: " + ofTrail + "c decided"},
		{"one unknown", acl("a", "c") + "," + put("*", from("a", "c")) + "," + unsure, engine.Unknown, 0, "judged for each of 3 trails: " + ofTrail + "b decided"},
		{"one unknown, one not let in", acl("a") + "," + put("*", from("a")) + "," + unsure, engine.ImplicitDeny, 0, "judged for each of 3 trails: " + ofTrail + "c decided"},
		{"the first of two", aclCheck + "," + put("*", from("b")), engine.ImplicitDeny, 1, "judged for each of 3 trails: " + ofTrail + "a decided"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.bucket(t, "logs", tc.policy)
			for _, name := range []string{"a", "b", "c"} {
				w.trails = append(w.trails, chain.Trail{ARN: lit(ofTrail + name), Bucket: lit("logs")})
			}
			w.trails = append(w.trails, chain.Trail{ARN: lit(ofTrail + "d"), Bucket: lit("elsewhere")})
			res := run(w, "cloudtrail-s3")
			replays(t, res)
			r := find(t, res, "cloudtrail-s3", "s3:PutObject", cloudtrail)
			if r.Verdict != tc.want {
				t.Errorf("got %v, want %v: %q", r.Verdict, tc.want, hops(r))
			}
			var notes []string
			for i := range r.Hops {
				for _, n := range r.Hops[i].Notes {
					if strings.Contains(n, " trails") {
						notes = append(notes, n)
						if i != tc.hop {
							t.Errorf("the note is on hop %d, want %d", i, tc.hop)
						}
					}
				}
			}
			if strings.Join(notes, "|") != tc.note {
				t.Errorf("got %q, want %q", notes, tc.note)
			}
			same(t, w, t.Errorf)
		})
	}
	w := newWorld(t)
	w.resource(t, keyARN, statement("Allow", service(cloudtrail), "kms:GenerateDataKey*", "*", from("a")))
	w.trails = []chain.Trail{{ARN: lit(ofTrail + "a"), Key: lit(keyARN)}, {ARN: lit(ofTrail + "b"), Key: lit(keyARN)}}
	r := find(t, run(w, "service-principal"), "service-principal", "kms:GenerateDataKey", cloudtrail)
	verdict(t, r, engine.ImplicitDeny, 1)
	if got := value(t, r, 0, "aws:SourceArn"); got != ofTrail+"b" {
		t.Errorf("a key of two trails: got %s", got)
	}
}

// Buckets that differ in what their further trails meet do not fold.
func TestSeveralTrailsFold(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"one", "two", "three"} {
		w.bucket(t, name, statement("Allow", service(cloudtrail), "s3:*", "*", "")+","+
			statement("Deny", everyone, "s3:PutObject", "*", `{"Null":{"s3:x-amz-server-side-encryption":"true"}}`))
		w.trails = append(w.trails, chain.Trail{ARN: lit(ofTrail + "a"), Bucket: lit(name), Key: lit(keyARN)})
	}
	w.trails = append(w.trails, chain.Trail{ARN: lit(ofTrail + "b"), Bucket: lit("two")}, chain.Trail{ARN: lit(ofTrail + "b"), Bucket: lit("three"), Key: lit(keyARN)})
	same(t, w, t.Errorf)
}

// A bucket for the trails of other accounts: the policy says whose.
func TestCentralLogBucket(t *testing.T) {
	const other, third = "444455556666", "777788889999"
	of := func(acc string) string { return "arn:aws:cloudtrail:eu-west-1:" + acc + ":trail/example" }
	for _, tc := range []struct {
		name, grants   string
		object, source string
		want           engine.Verdict
	}{
		{"another account", put("AWSLogs/"+other+"/*", ""), "AWSLogs/" + other + "/CloudTrail/example", of(other), engine.Allowed},
		{"below a prefix", put("p/AWSLogs/"+other+"/*", ""), "p/AWSLogs/" + other + "/CloudTrail/example", of(other), engine.Allowed},
		{"the first of two", put("AWSLogs/"+other+"/*", "") + "," + put("AWSLogs/"+third+"/*", ""), "AWSLogs/" + other + "/CloudTrail/example", of(other), engine.Allowed},
		{"the own account among them", put("AWSLogs/"+other+"/*", "") + "," + put("p/AWSLogs/"+account+"/*", ""), "p/AWSLogs/" + account + "/CloudTrail/example", of(account), engine.Allowed},
		{"all accounts", put("AWSLogs/*", ""), "AWSLogs/" + account + "/CloudTrail/example", of(account), engine.Allowed},
		{"an organization", put("AWSLogs/o-abcdefghij/*", ""), "AWSLogs/o-abcdefghij/" + account + "/CloudTrail/example", of(account), engine.Allowed},
		{"a member of an organization", put("AWSLogs/o-abcdefghij/"+other+"/*", ""), "AWSLogs/o-abcdefghij/" + other + "/CloudTrail/example", of(account), engine.Allowed},
		{"an organization and its management account", put("AWSLogs/o-abcdefghij/*", "") + "," + put("AWSLogs/"+other+"/*", ""), "AWSLogs/" + other + "/CloudTrail/example", of(other), engine.Allowed},
		{"an organization's trail", put("AWSLogs/o-abcdefghij/*", `{"StringEquals":{"aws:SourceArn":"`+of(other)+`"}}`), "AWSLogs/o-abcdefghij/" + other + "/CloudTrail/example", of(other), engine.Allowed},
		{"the source says whose", put("AWSLogs/"+other+"/*", `{"StringEquals":{"aws:SourceArn":"`+of(third)+`"}}`), "AWSLogs/" + third + "/CloudTrail/example", of(third), engine.ImplicitDeny},
		{"the source's account says whose", put("AWSLogs/"+other+"/*", `{"StringEquals":{"aws:SourceAccount":"`+other+`"}}`), "AWSLogs/" + other + "/CloudTrail/example", of(other), engine.Allowed},
		{"any trail of an account", put("AWSLogs/*", `{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:`+other+`:trail/*"}}`), "AWSLogs/" + other + "/CloudTrail/example", of(other), engine.Allowed},
		{"no account", put("AWSLogs/4444/*", ""), "AWSLogs/" + account + "/CloudTrail/example", of(account), engine.ImplicitDeny},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.bucket(t, "logs", aclCheck+","+tc.grants)
			r := find(t, run(w, "cloudtrail-s3"), "cloudtrail-s3", "s3:PutObject", cloudtrail)
			if r.Verdict != tc.want {
				t.Errorf("got %v, want %v: %q", r.Verdict, tc.want, hops(r))
			}
			if got, want := r.Hops[1].Request.Resource.String(), "arn:aws:s3:::logs/"+tc.object; got != want {
				t.Errorf("object: got %s, want %s", got, want)
			}
			if got := value(t, r, 1, "aws:SourceArn"); got != tc.source {
				t.Errorf("source: got %s, want %s", got, tc.source)
			}
		})
	}
}
