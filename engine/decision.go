package engine

import (
	"fmt"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// A Verdict is what AWS answers. The words are those of the IAM policy simulator.
type Verdict uint8

// The verdicts. The zero value is the answer when nothing speaks for a request.
const (
	// ImplicitDeny: nothing allows the request.
	ImplicitDeny Verdict = iota
	// ExplicitDeny: a statement denies the request.
	ExplicitDeny
	// Allowed: the request is allowed and nothing denies it.
	Allowed
	// Unknown: the answer hangs on values that are not known; [Decision.Unknown]
	// names them.
	Unknown
)

var verdicts = [...]string{"implicitDeny", "explicitDeny", "allowed", "unknown"}

// String returns the verdict's word, such as "explicitDeny".
func (v Verdict) String() string { return verdicts[v] }

// MarshalText returns the verdict's word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(verdicts[v]), nil }

// UnmarshalText reads a verdict's word and refuses any other.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, word := range verdicts {
		if word == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no verdict: there are %v", text, verdicts)
}

// A Decision is the answer to a request with all its reasons.
type Decision struct {
	Verdict Verdict
	// Because lists every statement that applied or may apply, in the order of the
	// policies and, for an implicit deny, the statement that came nearest to
	// allowing the request.
	Because []Reason
	// Unknown names what an unknown verdict hangs on.
	Unknown []string
	// Missing names the kinds of policies whose Allow an implicit deny misses, such
	// as "identity" or "scp".
	Missing []policy.Kind
	// Notes are conclusions that the decision rests on and that AWS's documentation
	// or the input leaves open.
	Notes []string
}

// An Outcome says whether a statement took part in a decision.
type Outcome string

// The outcomes of a statement.
const (
	Applies    Outcome = "applies"
	Maybe      Outcome = "maybe"
	NotApplies Outcome = "notApplies"
)

// A Reason is the part one statement, or one policy that could not be read,
// played in a decision.
type Reason struct {
	// Policy is the ID of the document.
	Policy string
	Kind   policy.Kind
	// Statement counts from 1; 0 stands for the whole of a policy that was not read.
	Statement int
	// Sid is "(sensitive)" for a statement of a sensitive policy that has one.
	Sid     string
	Effect  policy.Effect
	Outcome Outcome
	// Failed says what kept the statement from applying.
	Failed *Failure
	// Ruling says what AWS's documentation leaves open where Outcome is Maybe for that;
	// empty where a value is not known.
	Ruling string
	Origin source.Origin
	Range  source.Range
}

// A Failure is the first element of a statement that a request did not meet.
type Failure struct {
	// Key is the condition key, or "Principal", "Action", "Resource"; "Condition" for
	// a key of a sensitive policy.
	Key string
	// Operator is the condition operator, empty for the elements.
	Operator string
	// Wanted is "(sensitive)" for an element of a sensitive policy.
	Wanted string
	// Got is what the request holds: a value, "absent", "empty" or "unknown".
	Got string
}
