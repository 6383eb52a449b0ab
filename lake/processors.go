package lake

import "runtime"

// processors is how many there were for this process at its start, a container's limit included.
var processors = runtime.GOMAXPROCS(0)

// Processors is how many goroutines get ahead at a time by computing. A process that serves has the runtime run two more (cmd's spareProcessors), which are
// for those that wait in the kernel: work that is divided among the processors is divided by this number.
func Processors() int { return min(runtime.GOMAXPROCS(0), processors) }
