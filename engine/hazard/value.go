package hazard

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
)

var (
	literalWildcard = &Rule{
		ID: "literal-wildcard", Code: "H19",
		Title:       "A wildcard stands where it is an ordinary character",
		Severity:    source.Error,
		Rationale:   "StringEquals and StringNotEquals take * and ? for what they are. An Allow then never matches, and a negated Deny always does.",
		Remediation: "Use StringLike or StringNotLike, or ArnLike for ARNs.",
		Page:        "IAM JSON policy elements: Condition operators",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringEquals":{"s3:prefix":"home/*"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":"home/*"}}}}`,
		statement: func(s *statement) {
			for i := range s.Conditions {
				c := &s.Conditions[i]
				if !strings.HasPrefix(string(c.Operator.Base), "StringEquals") && !strings.HasPrefix(string(c.Operator.Base), "StringNotEquals") {
					continue
				}
				list, at := faulty(c, func(text string) bool {
					// A grant to everyone has the principal "*" itself.
					return wild(text) && !(lower(c) == "lambda:principal" && text == "*")
				})
				if list != "" {
					s.report(source.Error, at, nil, "%s knows no wildcards, as in %s", c.Operator, list)
				}
			}
		},
	}
	arnAsString = &Rule{
		ID: "arn-as-string", Code: "H20",
		Title:       "An ARN is compared as plain text",
		Severity:    source.Error,
		Rationale:   "StringLike knows no colons: a * runs from one part of an ARN into the next. And aws:PrincipalArn holds the ARN of the role, never that of its session.",
		Remediation: "Use ArnLike, and name roles by arn:aws:iam::ACCOUNT:role/NAME.",
		Page:        "IAM JSON policy elements: Condition operators",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:sts::111122223333:assumed-role/Admin/*"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Admin"}}}}`,
		statement: func(s *statement) {
			for i := range s.Conditions {
				c := &s.Conditions[i]
				key, _ := request.Find(c.Key)
				session := func(text string) bool {
					return lower(c) == "aws:principalarn" && strings.Contains(text, ":assumed-role/")
				}
				if list, at := faulty(c, session); list != "" {
					s.report(source.Warning, at, nil, "aws:PrincipalArn is the ARN of the role, and never %s", list)
				}
				list, at := faulty(c, func(text string) bool {
					return strings.HasPrefix(text, "arn:") && inner.MatchString(text) && !strings.HasSuffix(text, ":root") && !session(text)
				})
				if list != "" && key.Type == request.ARN && (c.Operator.Base == condition.StringLike || c.Operator.Base == condition.StringNotLike) {
					s.report(source.Info, at, func(_ *chain.Replay, hop *chain.HopResult) bool {
						return s.decided(hop) && s.crosses(c, hop)
					}, "under %s the * crosses colons, as in %s", c.Operator, list)
				}
			}
		},
	}
	tagKeys = &Rule{
		ID: "tag-keys", Code: "H30",
		Title:       "A rule about tags does not ask that there are any",
		Severity:    source.Warning,
		Rationale:   "ForAllValues over aws:TagKeys is true for a request without tags, and ForAnyValue is true for one with further tags beside. Keys such as aws:RequestTag/Team are of a tag in any case, and the values of aws:TagKeys are not.",
		Remediation: `Ask for the tag itself: "Null": {"aws:RequestTag/KEY": "false"}, beside ForAllValues:StringEquals over aws:TagKeys.`,
		Page:        "Controlling access to AWS resources using tags",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:CreateVolume","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:CreateVolume","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"Null":{"aws:RequestTag/team":"false"}}}}`,
		statement: func(s *statement) {
			s.tagCase()
			if !s.allows() || !s.creates() || len(s.on("aws:requesttag/")) > 0 || s.first(is(condition.Null, false), "aws:tagkeys") != nil || s.first(positive, "aws:resourcetag/") != nil {
				return
			}
			for _, c := range s.on("aws:tagkeys") {
				switch c.Operator.Set {
				case condition.ForAllValues:
					s.report(source.Warning, c.KeyRange, nil, "a request without tags meets it")
				case condition.ForAnyValue:
					s.report(source.Info, c.KeyRange, nil, "a request with other tags beside meets it")
				case condition.NoSet:
				}
			}
		},
	}
	variableAbsent = &Rule{
		ID: "variable-without-default", Code: "H31",
		Title:    "A policy variable may have no value",
		Severity: source.Warning,
		Rationale: "A variable whose key the request does not carry makes its value match nothing. In an Allow that fails closed. In a Deny the statement does not " +
			"fire, under a negated operator it always does, and in NotResource it leaves every resource in. In a document of Version 2008-10-17, in an action, a principal, the head of an ARN or a number it is no variable at all.",
		Remediation: "Give the variable a default, ${key, 'none'}, or ask by Null that the key is there; write Version 2012-10-17.",
		Page:        "IAM policy elements: Variables and tags",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}/*"}}`,
		statement:   (*statement).variables,
	}
	dateValue = &Rule{
		ID: "date-value", Code: "H32",
		Title:       "A value is not read as it looks, or has passed",
		Severity:    source.Info,
		Rationale:   "An operator for one type of values does not compare those of another. Dates are ISO 8601 with a time zone, or seconds since 1970. Four digits are a year to people and seconds to AWS, and milliseconds lie in a far future. A window that has passed grants, or denies, nothing.",
		Remediation: "Write dates as 2026-01-31T00:00:00Z, and remove windows that have passed.",
		Page:        "IAM JSON policy elements: Condition operators",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"DateLessThan":{"aws:CurrentTime":"1893456000000"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}}`,
		statement:   (*statement).dates,
	}
	nullMisuse = &Rule{
		ID: "null-misuse", Code: "H36",
		Title:       "A Null condition asks nothing",
		Severity:    source.Warning,
		Rationale:   "Null with both values is always true, and Null with ForAllValues or ForAnyValue is the same for every request.",
		Remediation: `Write "true" where the key must be absent and "false" where it must be there, without a set operator.`,
		Page:        "IAM JSON policy elements: Condition operators",
		Kind:        policy.Identity,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"Null":{"aws:TokenIssueTime":["true","false"]}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"Null":{"aws:TokenIssueTime":"false"}}}}`,
		statement: func(s *statement) {
			for i := range s.Conditions {
				c := &s.Conditions[i]
				switch {
				case c.Operator.Base != condition.Null:
				case c.Operator.Set != condition.NoSet:
					s.report(source.Warning, c.KeyRange, nil, "%s is the same for every request", c.Operator)
				case holds(c, "true") && holds(c, "false"):
					s.report(source.Warning, c.KeyRange, nil, "it is true whether %s is there or not", c.Key)
				}
			}
		},
	}
	sensitiveWildcard = &Rule{
		ID: "wildcard-in-identifier", Code: "H40",
		Title:       "An identifier is given with a wildcard",
		Severity:    source.Warning,
		Rationale:   "Ids of organizations, accounts, VPCs and endpoints are given by AWS: nobody can say which future ids a wildcard will match, and \"o-*\" is every organization.",
		Remediation: "List the ids.",
		Page:        "AWS global condition context keys",
		Kind:        policy.Resource,
		Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}}`,
		After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}}`,
		explains:    []*Rule{publicAccess},
		statement: func(s *statement) {
			for _, c := range s.on("aws:principalorgid", "aws:principalaccount", "aws:resourceaccount", "aws:resourceorgid", "aws:sourceaccount",
				"aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid") {
				if c.Operator.Base != condition.StringLike && c.Operator.Base != condition.StringNotLike {
					continue
				}
				if list, at := faulty(c, wild); list != "" {
					s.report(source.Warning, at, nil, "%s is asked for identifiers with wildcards, %s", c.Key, list)
				}
			}
		},
	}
)

// faulty lists the values of a condition that fail a test, and says where the first is.
func faulty(c *condition.Condition, fails func(text string) bool) (list string, at source.Range) {
	var out []string
	for i := range c.Values {
		if text, known := c.Values[i].Text.Literal(); known && fails(text) {
			if len(out) == 0 {
				at = c.Values[i].Range
			}
			out = append(out, strconv.Quote(text))
		}
	}
	return strings.Join(out, ", "), at
}

// wild reports whether a text has a wildcard that stands for itself in no variable.
func wild(text string) bool { return strings.ContainsAny(variable.ReplaceAllString(text, ""), "*?") }

// crosses reports whether a condition over an ARN holds for a hop only since it is
// compared as text.
func (s *statement) crosses(c *condition.Condition, hop *chain.HopResult) bool {
	parts := *c
	parts.Operator.Base = condition.ArnLike
	if negated(c) {
		parts.Operator.Base = condition.ArnNotLike
	}
	return c.Eval(hop.Request.Context) == kleene.True && parts.Eval(hop.Request.Context) == kleene.False
}

var (
	variable = regexp.MustCompile(`\$\{[^}]*\}`)
	// inner finds a wildcard before the last colon of an ARN.
	inner = regexp.MustCompile(`[*].*:`)
)

// optional reports whether a request may lack the key of a variable.
func optional(variable string) bool {
	key := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(variable, "${"), "}"))
	if strings.Contains(key, ",") || key == "*" || key == "?" || key == "$" {
		return false
	}
	if k, ok := request.Find(key); ok && strings.HasSuffix(k.Name, "/") {
		return true
	}
	return !alwaysPresent[key]
}

func absentable(text string) string {
	for _, v := range variable.FindAllString(text, -1) {
		if optional(v) {
			return v
		}
	}
	return ""
}

// tagCase looks for a tag that aws:TagKeys has in another case than the key that asks
// for its value.
func (s *statement) tagCase() {
	for _, asked := range s.on("aws:requesttag/") {
		_, tag, _ := strings.Cut(asked.Key, "/")
		for _, c := range s.on("aws:tagkeys") {
			exact := c.Operator.Base == condition.StringEquals || c.Operator.Base == condition.StringNotEquals
			if !exact || !holds(c, tag) || slices.Contains(literals(c), tag) {
				continue
			}
			s.report(source.Info, c.KeyRange, nil, "%s has a tag in another case than %s, which is of the tag in any case", c.Key, asked.Key).Remediation = "Write the tag in one case."
			return
		}
	}
}

// creates reports whether an action of the statement makes something that may have
// tags from the start.
func (s *statement) creates() bool {
	return !s.Actions.Not && slices.ContainsFunc(s.Actions.Entries, func(a policy.Action) bool {
		text, _ := a.Text.Literal()
		_, name, _ := strings.Cut(text, ":")
		return creating.MatchString(name) && name != "CreateTags" && takesTags(text)
	})
}

// takesTags reports whether calls of an action may carry tags; one that is not known may.
func takesTags(action string) bool {
	a, known := awsref.LookupAction(action)
	return !known || slices.Contains(a.ConditionKeys, "aws:TagKeys") ||
		slices.ContainsFunc(a.ResourceTypes, func(use awsref.ResourceUse) bool { return slices.Contains(use.ConditionKeys, "aws:TagKeys") })
}

var creating = regexp.MustCompile(`^(Create|Run|Allocate|Import|Copy|Register|Restore)`)

// variables looks for variables that may have no value and for those that are none.
func (s *statement) variables() {
	s.strayVariables()
	if s.Resources != nil {
		for i := range s.Resources.Entries {
			r := &s.Resources.Entries[i]
			if text, known := r.Text().Literal(); known && strings.Contains(text, "${") {
				s.resourceVariable(r)
			}
		}
	}
	for i := range s.Conditions {
		for j := range s.Conditions[i].Values {
			s.valueVariable(&s.Conditions[i], &s.Conditions[i].Values[j])
		}
	}
}

const writeOut = "Write the value out, or make a statement for each."

// strayVariables looks for variables in actions and principals, where none counts.
func (s *statement) strayVariables() {
	for i := range s.Actions.Entries {
		text, known := s.Actions.Entries[i].Text.Literal()
		if v := anyVariable(text); known && v != "" {
			s.report(source.Warning, s.Actions.Entries[i].Range, nil, "%s is no variable in an action, which then matches nothing", v).Remediation = writeOut
		}
	}
	if s.Principals == nil {
		return
	}
	for i := range s.Principals.Entries {
		p := &s.Principals.Entries[i]
		text, known := p.Text.Literal()
		if v := anyVariable(text); known && v != "" {
			s.report(source.Warning, p.Range, nil, "%s is no variable in a principal, which then is nobody", v).Remediation = writeOut
		}
	}
}

func (s *statement) resourceVariable(r *policy.ResourcePattern) {
	text := r.Text().String()
	parts := strings.SplitN(text, ":", 6)
	early := anyVariable(strings.Join(parts[:min(len(parts), 5)], ":"))
	v := absentable(text)
	switch {
	case anyVariable(text) != "" && s.doc.Version != policy.Version2012:
		s.report(source.Warning, r.Range, nil, "%s is plain text in a document of Version %s", anyVariable(text), s.doc.Version).Remediation = `Write "Version": "2012-10-17".`
	case early != "" && len(parts) == 6:
		s.report(source.Warning, r.Range, nil, "%s is no variable before the fifth colon of an ARN, which then matches nothing", early).Remediation = writeOut
	case noKey(v):
		s.report(source.Warning, r.Range, nil, "%s is the variable of no condition key, and then matches nothing", v).Remediation = writeOut
	case v == "" || s.requires(v):
	case s.Resources.Not:
		s.report(source.Warning, r.Range, nil, "without a value for %s the exception is lost", v)
	case s.denies():
		s.report(source.Warning, r.Range, nil, "without a value for %s it denies nothing", v)
	case s.userless(v):
		s.report(source.Info, r.Range, nil, "roles have no value for %s, and the policy belongs to roles alone", v).Remediation = "Use aws:PrincipalTag, or aws:userid."
	}
}

func (s *statement) valueVariable(c *condition.Condition, value *condition.Value) {
	text, known := value.Text.Literal()
	if !known || !strings.Contains(text, "${") {
		return
	}
	v := absentable(text)
	base := string(c.Operator.Base)
	textual := strings.HasPrefix(base, "String") || strings.HasPrefix(base, "Arn") || c.Operator.Base == condition.Bool
	switch {
	case anyVariable(text) != "" && !textual:
		s.report(source.Warning, value.Range, nil, "%s is no variable under %s", anyVariable(text), c.Operator).Remediation = writeOut
	case anyVariable(text) != "" && s.doc.Version != policy.Version2012:
		s.report(source.Warning, value.Range, nil, "%s is plain text in a document of Version %s", anyVariable(text), s.doc.Version).Remediation = `Write "Version": "2012-10-17".`
	case noKey(v):
		s.report(source.Warning, value.Range, nil, "%s is the variable of no condition key, and then matches nothing", v).Remediation = writeOut
	case v == "" || s.requires(v):
	case negated(c) && s.allows():
		s.report(source.Warning, value.Range, nil, "without a value for %s it is true of everybody", v)
	case s.denies() && positive(c):
		s.report(source.Warning, value.Range, nil, "without a value for %s it denies nothing", v)
	case s.userless(v):
		s.report(source.Info, value.Range, nil, "roles have no value for %s, and the policy belongs to roles alone", v).Remediation = "Use aws:PrincipalTag, or aws:userid."
	}
}

// keyOf is the key of a variable, in lower case.
func keyOf(variable string) string {
	key, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(variable, "${"), "}"), ",")
	return strings.ToLower(key)
}

// anyVariable returns the first variable of a text that does not stand for a character.
func anyVariable(text string) string {
	if !strings.Contains(text, "${") {
		return "" // as most
	}
	for _, v := range variable.FindAllString(text, -1) {
		if key := keyOf(v); key != "*" && key != "?" && key != "$" {
			return v
		}
	}
	return ""
}

// requires reports whether the statement holds only where the key of a variable is
// there: it asks for it, or for another key that AWS sends together with it.
func (s *statement) requires(v string) bool {
	key, _ := request.Find(keyOf(v))
	return slices.ContainsFunc(s.Conditions, func(c condition.Condition) bool {
		other, _ := request.Find(c.Key)
		together := lower(&c) == keyOf(v) || key.Sent == request.ByWorkload && other.Sent == request.ByWorkload
		return together && (is(condition.Null, false, "false")(&c) || carried(&c))
	})
}

// userless reports whether a variable is of users and the policy of roles alone.
func (s *statement) userless(v string) bool { return keyOf(v) == "aws:username" && s.ofRoles() }

// ofRoles reports whether the policy belongs to roles and nobody else.
func (s *statement) ofRoles() bool {
	return s.doc.Kind == policy.Identity && len(s.doc.principals) > 0 && !slices.ContainsFunc(s.doc.principals, func(p *chain.Principal) bool {
		return p.Caller.Principal.Kind != request.RoleSession
	})
}

// noKey reports whether a variable is of no condition key: those of all services and
// identity providers have a colon.
func noKey(v string) bool { return v != "" && !strings.Contains(keyOf(v), ":") }

// dates looks at the dates of conditions.
func (s *statement) dates() {
	for j := range s.Conditions {
		c := &s.Conditions[j]
		s.mismatch(c)
		if !strings.HasPrefix(string(c.Operator.Base), "Date") {
			continue
		}
		for i := range c.Values {
			v := &c.Values[i]
			text, known := v.Text.Literal()
			digits := known && text != "" && strings.Trim(text, "0123456789") == ""
			switch {
			case digits && len(text) == 4:
				s.report(source.Info, v.Range, nil, "%s is seconds after 1970, not a year", text)
			case digits && len(text) > 11:
				s.report(source.Info, v.Range, nil, "%s looks like milliseconds: dates are in seconds", text)
			case known && strings.Contains(text, "T") && !zoned.MatchString(text):
				s.report(source.Info, v.Range, nil, "%s has no time zone", text)
			case known && (lower(c) == "aws:currenttime" || lower(c) == "aws:epochtime") && s.passed(c, text):
				s.report(source.Info, v.Range, nil, "its time, until %s, has passed", text)
			}
		}
	}
}

// mismatch looks for an operator that is not for the type of its key, or for a text
// that no value of that type is.
func (s *statement) mismatch(c *condition.Condition) {
	typ, ok := typeOf(c)
	if !ok {
		return
	}
	base := string(c.Operator.Base)
	of := compared(base)
	loose := typ == request.String && (of == request.Numeric || of == request.ARN) || lower(c) == "aws:epochtime" && of == request.Numeric
	if of != "" && of != typ && !loose {
		s.report(source.Info, c.KeyRange, nil, "%s is for another type than %s, whose values are of type %s", c.Operator, c.Key, typ).Remediation = "Use the operator for the type of the key."
	}
	if !strings.HasPrefix(base, "String") {
		return
	}
	for i := range c.Values {
		text, known := c.Values[i].Text.Literal()
		bare := known && anyVariable(text) == "" && !strings.ContainsAny(text, "*?")
		switch {
		case typ == request.IP && bare && strings.Contains(text, "/"):
			s.report(source.Info, c.Values[i].Range, nil, "%s compares the text %s, which is no address", c.Operator, text).Remediation = "Use IpAddress or NotIpAddress, which read ranges."
		case typ == request.Bool && bare && text != "true" && text != "false":
			s.report(source.Info, c.Values[i].Range, nil, "%s compares the text %q, and %s is true or false", c.Operator, text, c.Key).Remediation = "Use Bool."
		}
	}
}

// compared is the type of values that an operator reads, "" for those that compare
// texts and for Null.
func compared(base string) request.Type {
	switch {
	case strings.HasPrefix(base, "Date"):
		return request.Date
	case strings.HasPrefix(base, "Numeric"):
		return request.Numeric
	case strings.HasPrefix(base, "Arn"):
		return request.ARN
	case strings.HasSuffix(base, "IpAddress"):
		return request.IP
	case base == string(condition.Bool):
		return request.Bool
	}
	return ""
}

// typeOf returns the type of a condition's key, of single services too. Of their keys
// the reference calls some texts that are more than that, as are those of tags: ok is
// false for them.
func typeOf(c *condition.Condition) (typ request.Type, ok bool) {
	if key, ok := request.Find(c.Key); ok {
		return key.Type, key.Type != request.String || strings.HasPrefix(lower(c), "aws:") && key.Sent != request.Tagged
	}
	key, ok := awsref.LookupConditionKey(c.Key)
	typ = request.Type(strings.TrimPrefix(string(key.Type), "ArrayOf"))
	return typ, ok && typ != request.String
}

var zoned = regexp.MustCompile(`(Z|[+-][0-9]{2}:[0-9]{2})$`)

// passed reports whether the end of a window lies before the time of the requests.
func (s *statement) passed(c *condition.Condition, text string) bool {
	if s.doc.World == nil || !strings.HasPrefix(string(c.Operator.Base), "DateLessThan") {
		return false
	}
	now, known := s.doc.World.Environment().Time.Literal()
	at, err := time.Parse(time.RFC3339, now)
	until, bad := condition.ParseDate(text)
	return known && err == nil && bad == nil && until.Before(at)
}

var neverMatches = &Rule{
	ID: "never-matches", Code: "H41",
	Title:    "A statement can never match",
	Severity: source.Warning,
	Rationale: "An action on buckets does not match the ARN of objects, nor the other way about. " +
		"And no request carries both a public address and a VPC, or comes from a service in its own name and through one, or from an organization.",
	Remediation: "Name the resources that the actions work on, and ask for keys that one request carries together.",
	Page:        "Actions, resources, and condition keys for AWS services",
	Kind:        policy.Identity,
	Before:      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b/*"}}`,
	After:       `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}}`,
	statement: func(s *statement) {
		s.exclusive()
		s.disjoint()
		s.mismatched()
	},
}

// exclusive looks for two conditions that no request meets together.
func (s *statement) exclusive() {
	if c := s.first(positive, "aws:username"); c != nil && !c.Operator.IfExists && s.ofRoles() {
		s.report(source.Warning, c.KeyRange, nil, "roles do not carry %s, and the policy belongs to roles alone", c.Key)
	}
	var told []*condition.Condition
	for i := range s.Conditions {
		if key, ok := request.Find(s.Conditions[i].Key); ok && telling[key.Sent] || ok && tellingKeys[lower(&s.Conditions[i])] {
			told = append(told, &s.Conditions[i])
		}
	}
	for i, a := range told {
		for _, b := range told[:i] {
			if lower(a) != lower(b) && !possible(a, b) && possible(a) && possible(b) {
				s.report(source.Warning, b.KeyRange, nil, "no request meets both its condition over %s and that over %s", b.Key, a.Key)
			}
		}
	}
}

// telling are the keys that depend on who calls and how alone, by who sends them.
var telling = map[request.Availability]bool{
	request.Signed: true, request.InOrganization: true, request.ByService: true, request.ByUser: true,
	request.ByAddress: true, request.ThroughEndpoint: true, request.OnBehalf: true,
}

var tellingKeys = map[string]bool{"aws:viaawsservice": true, "aws:principaltype": true}

// possible reports whether some request meets all of some conditions.
func possible(conditions ...*condition.Condition) bool {
	return slices.ContainsFunc(situations(), func(ctx request.Context) bool {
		return !slices.ContainsFunc(conditions, func(c *condition.Condition) bool { return c.Eval(ctx) == kleene.False })
	})
}

// disjoint looks for two positive conditions over one key that no value meets.
func (s *statement) disjoint() {
	for i := range s.Conditions {
		a := &s.Conditions[i]
		if a.Operator.Base != condition.StringEquals || a.Operator.Set != condition.NoSet || a.Operator.IfExists || request.Multivalued(a.Key) {
			continue
		}
		for j := range s.Conditions {
			b := &s.Conditions[j]
			if i == j || lower(a) != lower(b) || !positive(b) || b.Operator.Set != condition.NoSet || b.Operator.IfExists || j < i && b.Operator.Base == a.Operator.Base {
				continue
			}
			if !slices.ContainsFunc(a.Values, func(v condition.Value) bool { return b.May(v.Text) }) && len(a.Values) > 0 {
				s.report(source.Warning, a.KeyRange, nil, "no value of %s meets both of its conditions", a.Key)
			}
		}
	}
}

// mismatched looks for a statement whose actions all work on other resources.
func (s *statement) mismatched() {
	if s.Actions.Not || len(s.Actions.Entries) == 0 || s.Resources == nil || s.Resources.Not || s.allResources() || s.doc.Kind != policy.Identity && s.doc.Kind != policy.Resource {
		return
	}
	for i := range s.Actions.Entries {
		text, known := s.Actions.Entries[i].Text.Literal()
		if !known || strings.ContainsAny(text, "*?") {
			return
		}
		if kinds, ok := s.doc.worksOn(text); !ok || s.names(text, kinds) {
			return
		}
	}
	first, _ := s.Actions.Entries[0].Text.Literal()
	if kinds, _ := s.doc.worksOn(first); len(kinds) > 0 { // the reference lacks the resources of some actions
		s.report(source.Warning, s.Actions.Range, nil, "%s works on none of its resources", first)
	}
}
