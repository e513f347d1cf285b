package chain

// MentionFewer makes a pattern that reaches more than n targets be no mention of them.
func MentionFewer(n int) (restore func()) {
	old := few
	few = n
	return func() { few = old }
}
