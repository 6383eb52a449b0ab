package ingest

// memory bounds what all requests together hold of bodies and decoded lines.
type memory struct{}

// lease is one request's part of the memory.
type lease struct{}

func (m *memory) lease() *lease { return &lease{} }

// hold asks for n bytes in all, in place of what the lease had. An error says that there is no room now: nothing changed.
func (l *lease) hold(n int64) error { return nil }

// release gives everything back. It may be called more than once.
func (l *lease) release() {}
