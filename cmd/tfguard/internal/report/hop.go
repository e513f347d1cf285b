package report

// deciding returns the statement that decided a hop: the first that applied with the
// effect of the verdict, else the first there is, nil for none.
func (h *Hop) deciding() *Because {
	effect := "Deny"
	if h.Verdict.String() == "allowed" {
		effect = "Allow"
	}
	for i := range h.Because {
		if b := &h.Because[i]; b.Outcome == "applies" && b.Effect == effect {
			return b
		}
	}
	if len(h.Because) > 0 {
		return &h.Because[0]
	}
	return nil
}
