package lake

// ReadOnly says whether the lake was opened to follow another process's: then nothing below its folder may be changed but state/.
func (l *Lake) ReadOnly() bool { return l.cfg.ReadOnly }
