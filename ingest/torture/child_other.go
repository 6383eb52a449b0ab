//go:build !linux

package torture

import "syscall"

// dieWithParent is Linux's: elsewhere a killed parent leaves its child.
func dieWithParent() *syscall.SysProcAttr { return nil }
