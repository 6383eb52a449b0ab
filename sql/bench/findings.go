package bench

// Findings says in sentences what the report's numbers say: what pruning saves, which rung is faster and by what factor, warm against cold,
// whether the prototype's result shows here too, and why.
func Findings(r *Report) []string {
	return nil
}
