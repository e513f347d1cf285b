package chain

import (
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// deliveries are the services that deliver logs to a bucket, below a folder of theirs;
// source is an example of what they do it for.
var deliveries = map[string]struct{ folder, service, source string }{
	cloudtrail:  {"CloudTrail", "cloudtrail", "trail/example"},
	config:      {"Config", "config", "example"},
	logDelivery: {"vpcflowlogs", "logs", "example"},
	elb:         {"elasticloadbalancing", "elasticloadbalancing", "loadbalancer/app/example/example"},
}

// A delivery is what a service delivers for one source: CloudTrail for one trail.
type delivery struct {
	// trail of the world; nil for one that stands for those a policy lets in.
	trail *Trail
	// logs is the path of the log files in a bucket.
	logs symbol.Text
	// upload is the statement that lets a source without a place in the world write.
	upload *policy.Statement
}

// uses reports whether a trail writes to a bucket or encrypts with a key.
func (tr *Trail) uses(t *Target) bool {
	if t.Kind != BucketTarget {
		return !tr.Key.IsZero() && symbol.Equal(tr.Key, t.ARN) == kleene.True
	}
	a, ok := arn.Parse(t.ARN)
	return ok && symbol.Equal(tr.Bucket, a[arn.Resource]) == kleene.True
}

// keyARN is the key as CloudTrail names it in its requests.
func (tr *Trail) keyARN() symbol.Text {
	s, known := tr.Key.Literal()
	if known && strings.Contains(s, "alias/") {
		return symbol.Symbol{Name: "the key of " + s}.Text()
	}
	if a, ok := arn.Parse(tr.ARN); ok && known && !strings.HasPrefix(s, "arn:") {
		a[arn.Service], a[arn.Resource] = symbol.Literal("kms"), symbol.Literal("key/"+s) // a bare id
		return a.Text()
	}
	return tr.Key
}

// trails returns CloudTrail as it calls a target: for each trail of the world that
// uses it, else for one that the target's policies let in. own, if not nil, is the
// statement to read before the others.
func (s *selection) trails(t *Target, own *policy.Statement, grants []serviceGrant) []*Principal {
	var out []*Principal
	all := s.world.Trails()
	for i := range all {
		if tr := &all[i]; tr.uses(t) {
			account := s.ownerOf(t)
			if a, ok := arn.Parse(tr.ARN); ok {
				account = a[arn.Account]
			}
			prefix := tr.Prefix
			if !prefix.IsZero() && !prefix.HasSuffix("/") {
				prefix = symbol.Concat(prefix, symbol.Literal("/"))
			}
			of := account
			if tr.Organization {
				of = symbol.Concat(s.env.Organization.ID, symbol.Literal("/"), account)
			}
			out = append(out, s.deliverer(cloudtrail, tr.ARN, account, &delivery{trail: tr, logs: logPath(prefix, of, "CloudTrail")}))
		}
	}
	if len(out) == 0 {
		out = append(out, s.exampleDelivery(t, own, grants))
	}
	return out
}

func (s *selection) deliverer(name string, source, account symbol.Text, d *delivery) *Principal {
	p := service(name, source, account, s.organizationOf(account))
	// AWS's pages disagree on whether load balancers name their source.
	p.Caller.SourceUnsure = name == elb
	p.delivery = d
	return p
}

func (s *selection) ownerOf(t *Target) symbol.Text {
	if t.Account.IsZero() {
		return s.env.Account
	}
	return t.Account
}

// exampleDelivery is a service as it delivers for a source that the world does not
// have: the one that a policy names, else one of the account that a policy names.
// grants let the service in; without any it is CloudTrail.
func (s *selection) exampleDelivery(t *Target, own *policy.Statement, grants []serviceGrant) *Principal {
	d, name := &delivery{}, cloudtrail
	if len(grants) > 0 {
		name = grants[0].service
	}
	kind := deliveries[name]
	statements := []*policy.Statement{own}
	for _, g := range grants {
		if g.service == name {
			statements = append(statements, g.statement)
			if d.upload == nil && g.statement != nil && g.statement.Actions.Match("s3", "putobject") != kleene.False {
				d.upload = g.statement
			}
		}
	}
	asked := func(key string) (symbol.Text, bool) {
		for _, st := range statements {
			if st != nil {
				if v, ok := conditionText(st, key); ok {
					return v, true
				}
			}
		}
		return symbol.Text{}, false
	}
	account, known := asked("aws:SourceAccount")
	source, named := asked("aws:SourceArn")
	if !named {
		source, named = asked("kms:EncryptionContext:aws:cloudtrail:arn")
	}
	if a, ok := arn.Parse(source); ok && !wild(a[arn.Account]) {
		account, known = a[arn.Account], true
	}
	if !known || wild(account) {
		account, known = s.ownerOf(t), false
	}
	d.logs, account = logPlace(t, statements, account, known, kind.folder)
	example := s.arn(kind.service, s.env.Region, account, kind.source)
	if named {
		example = like(source, example)
	}
	return s.deliverer(name, example, account, d)
}

// like returns the ARN that a pattern stands for, with the parts of an example, or
// "example", in the place of wildcards.
func like(pattern, example symbol.Text) symbol.Text {
	a, ok := arn.Parse(pattern)
	want, _ := arn.Parse(example)
	if !ok {
		return withoutWildcards(pattern)
	}
	for i := range a {
		if a[i] == symbol.Literal("*") {
			a[i] = want[i]
		} else {
			a[i] = withoutWildcards(a[i])
		}
	}
	return a.Text()
}

func wild(t symbol.Text) bool { return t.IsZero() || strings.ContainsAny(t.String(), "*?") }

// logPath is the path of a log file; of is an account, or an organization and one.
func logPath(prefix, of symbol.Text, folder string) symbol.Text {
	return symbol.Concat(prefix, symbol.Literal("AWSLogs/"), of, symbol.Literal("/"+folder+"/example"))
}

// logPlace reads off the resources of statements where in a bucket a service may
// write, and for which account. An account that is known, or that some statement
// allows, stays.
func logPlace(t *Target, statements []*policy.Statement, account symbol.Text, known bool, folder string) (logs, of symbol.Text) {
	const (
		otherwise = iota + 1
		forOrganization
		forAnother
		asGiven
	)
	best := 0
	logs, of = logPath(symbol.Text{}, account, folder), account
	for _, st := range statements {
		if st == nil || st.Resources == nil || st.Resources.Not {
			continue
		}
		for i := range st.Resources.Entries {
			path, ok := strings.CutPrefix(st.Resources.Entries[i].Text().String(), t.ARN.String()+"/")
			prefix, path, found := strings.Cut(path, "AWSLogs/")
			if !ok || !found || strings.ContainsAny(prefix, "*?$") {
				continue
			}
			segments := strings.SplitN(path, "/", 3)
			id := strings.TrimSuffix(segments[0], "*")
			rank, place, owner := otherwise, account, account
			switch {
			case id == "" || segments[0] == account.String():
				rank = asGiven
			case isAccount(id) && !known:
				rank, owner = forAnother, symbol.Literal(id)
				place = owner
			case strings.HasPrefix(id, "o-") && !strings.ContainsAny(id, "*?$"):
				// The trail is the management account's, the log files any member's.
				rank = forOrganization
				if len(segments) > 1 && isAccount(strings.TrimSuffix(segments[1], "*")) {
					place = symbol.Literal(strings.TrimSuffix(segments[1], "*"))
				}
				place = symbol.Concat(symbol.Literal(id+"/"), place)
			}
			if rank > best {
				best, logs, of = rank, logPath(symbol.Literal(prefix), place, folder), owner
			}
		}
	}
	return logs, of
}

// isAccount reports whether a text is an account id: twelve digits.
func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// The headers that ask for the encryption of an object with a KMS key.
const (
	encryptionHeader = "s3:x-amz-server-side-encryption"
	keyHeader        = "s3:x-amz-server-side-encryption-aws-kms-key-id"
)

// deliver sets the headers of a service's uploads.
func (d *delivery) deliver(ctx *request.Context, t *Target, service string) {
	switch {
	case d.trail == nil:
		upload(ctx, t, d.upload, service)
	case !d.trail.Key.IsZero():
		ctx.SetString(encryptionHeader, "aws:kms")
		ctx.Set(keyHeader, d.trail.keyARN())
	}
	// What AWS delivers is always handed over to the owner of the bucket.
	ctx.SetString("s3:x-amz-acl", "bucket-owner-full-control")
}

// upload sets the headers of an object that a service writes: those that the
// statement which lets it in asks for. Whether it asks for encryption is not
// documented; that is said where a Deny hangs on it.
func upload(ctx *request.Context, t *Target, st *policy.Statement, service string) {
	headers(ctx, st)
	for _, key := range []string{encryptionHeader, keyHeader} {
		if ctx.Get(key).Present != kleene.False || !denies(t, key) {
			continue
		}
		if e := ctx.Get(encryptionHeader); key == keyHeader && e.Present == kleene.True && e.Values[0] == symbol.Literal("AES256") {
			continue // S3's own keys have no id
		}
		ctx.SetMaybe(key, symbol.Symbol{Name: key + " as " + service + " sends it"}.Text())
	}
}

// headers sets the headers of S3 that a statement asks for.
func headers(ctx *request.Context, st *policy.Statement) {
	if st == nil {
		return
	}
	for i := range st.Conditions {
		key := st.Conditions[i].Key
		v, ok := conditionText(st, key)
		if !ok || !strings.HasPrefix(strings.ToLower(key), "s3:x-amz-") {
			continue
		}
		if strings.EqualFold(key, encryptionHeader) {
			v = encryption(v)
		}
		ctx.Set(key, withoutWildcards(v))
	}
}

// encryption is the kind of encryption that a pattern stands for.
func encryption(pattern symbol.Text) symbol.Text {
	s, known := pattern.Literal()
	switch {
	case known && strings.Trim(s, "*") == "":
		return symbol.Symbol{Name: "the kind of encryption"}.Text()
	case known:
		return symbol.Literal(strings.TrimSuffix(s, "*")) // "aws:kms*" is aws:kms and aws:kms:dsse
	}
	return pattern
}

// denies reports whether some Deny on a target has a condition on a key.
func denies(t *Target, key string) bool {
	asks := func(docs []policy.Attached) bool {
		for _, doc := range docs {
			for i := range doc.Statements {
				st := &doc.Statements[i]
				for j := range st.Conditions {
					if st.Effect == policy.Deny && strings.EqualFold(st.Conditions[j].Key, key) {
						return true
					}
				}
			}
		}
		return false
	}
	for _, level := range t.RCP {
		if asks(level) {
			return true
		}
	}
	return asks(t.Policies)
}
