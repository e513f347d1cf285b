package cloudformation

// A Carrier is a row of the table of carriers.
type Carrier struct{ Type, Path string }

// Carriers are the rows of the table.
func Carriers() []Carrier {
	var out []Carrier
	for _, c := range carriers {
		out = append(out, Carrier{c.typ, c.path})
	}
	return out
}
