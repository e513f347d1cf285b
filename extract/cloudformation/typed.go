package cloudformation

// check is the typed check.
func (r *resource) check() {}
