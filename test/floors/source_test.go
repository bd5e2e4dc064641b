// Package floors keeps the house: what may stand on what, what must be explained, and where a
// goroutine, a lock or a clock may be.
package floors

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// root is the top of the source tree, seen from this folder.
const root = "../.."

// module is the path of the module.
const module = "github.com/go-poe/poe"

// library holds the top folders of what programs import. The floors are about them.
var library = []string{"kernel", "filter", "session", "wheel", "component"}

// everything holds all the top folders with Go code.
var everything = append([]string{"cmd", "test"}, library...)

// A source is one Go file.
type source struct {
	path string // from the root, with slashes
	*ast.File
}

// folder returns the source's package, as the folder's path from the root.
func (s source) folder() string { return path.Dir(s.path) }

// isTest says whether the source is compiled into tests only.
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// ours returns the packages of the module that the source imports, as paths from the root.
func (s source) ours() []string {
	var names []string
	for _, name := range s.imports() {
		if name, ok := strings.CutPrefix(name, module+"/"); ok {
			names = append(names, name)
		}
	}
	return names
}

// imports returns the paths of what the source imports.
func (s source) imports() []string {
	names := make([]string, len(s.Imports))
	for i, spec := range s.Imports {
		names[i] = strings.Trim(spec.Path.Value, "\"`")
	}
	return names
}

// sources returns the Go files below the folders, whatever their build tags. A folder that does
// not exist has none.
func sources(t *testing.T, folders []string) []source {
	t.Helper()
	var all []source
	for _, top := range folders {
		for _, name := range goFiles(t, top) {
			text, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, parse(t, name, string(text)))
		}
	}
	return all
}

// goFiles returns the paths from the root, with slashes, of the Go files below a folder.
func goFiles(t *testing.T, top string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(root), top, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go"):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// parse returns the source with this text.
func parse(t *testing.T, name, text string) source {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, text,
		parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{name, file}
}
