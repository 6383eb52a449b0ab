package ingest

// claim is a request's hold on its Idempotency-Key; nil when it has none.
type claim struct{}

// claim takes the request's key. When the answer is known already, or the key may not be used, it answers the request and says false.
func (s *Server) claim(_ *exchange, _ *work) (*claim, bool) { return nil, true }

// release lets others have the key whose request was not answered for good.
func (c *claim) release() {}
