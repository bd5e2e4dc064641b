//go:build !linux

package wheel

import (
	"errors"
	"os"

	"github.com/go-poe/poe/kernel"
)

// A notifier tells when a file changes, where the system does. Here it does not, by a descriptor
// that a Loop could watch, and there is only the nil one.
type notifier struct {
	handle kernel.Handle
}

func newNotifier() (*notifier, error) { return nil, errors.ErrUnsupported }

func (*notifier) watchFolder(string, int) int         { return 0 }
func (*notifier) watchFile(*os.File, int) int         { return 0 }
func (*notifier) mine([]byte, string) (bool, error)   { return false, nil }
func (*notifier) pause(owner *kernel.Session, _ bool) {}
func (*notifier) close(*kernel.Session)               {}
