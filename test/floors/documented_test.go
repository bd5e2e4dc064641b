package floors

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// TestDocumented checks that every exported name, every package and every option has a comment.
func TestDocumented(t *testing.T) {
	explained := map[string]bool{}
	for _, s := range sources(t, everything) {
		explained[s.folder()] = explained[s.folder()] || s.Doc != nil
		if s.isTest() {
			continue
		}
		for _, name := range undocumented(s.File) {
			t.Errorf("%s: %s has no comment", s.path, name)
		}
	}
	for folder, ok := range explained {
		if !ok {
			t.Errorf("%s has no package comment", folder)
		}
	}
}

// undocumented returns the exported names of a file that have no comment: functions, methods,
// types, constants and variables, the methods of interfaces, and the fields of options. The comment
// of an interface with one method explains the method.
func undocumented(file *ast.File) []string {
	var names []string
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if name, exported := function(d); exported && d.Doc == nil {
				names = append(names, name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				names = append(names, undocumentedSpec(spec, d.Doc != nil)...)
			}
		}
	}
	return names
}

// undocumentedSpec returns the names that a spec of a declaration leaves without a comment. The
// declaration's own comment counts for all of its constants and variables, and for a type that
// stands alone.
func undocumentedSpec(spec ast.Spec, commented bool) []string {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		if commented || spec.Doc != nil || spec.Comment != nil {
			return nil
		}
		return exported(spec.Names)
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return nil
		}
		name := spec.Name.Name
		var names []string
		if !commented && spec.Doc == nil {
			names = append(names, name)
		}
		switch body := spec.Type.(type) {
		case *ast.InterfaceType:
			if body.Methods.NumFields() > 1 {
				names = append(names, undocumentedFields(name, body.Methods)...)
			}
		case *ast.StructType:
			if strings.HasSuffix(name, "Options") {
				names = append(names, undocumentedFields(name, body.Fields)...)
			}
		}
		return names
	default:
		return nil
	}
}

// undocumentedFields returns the exported fields, or methods, that have no comment.
func undocumentedFields(owner string, list *ast.FieldList) []string {
	var names []string
	for _, field := range list.List {
		if field.Doc == nil && field.Comment == nil {
			for _, name := range exported(field.Names) {
				names = append(names, owner+"."+name)
			}
		}
	}
	return names
}

// exported returns the exported ones of the names.
func exported(idents []*ast.Ident) []string {
	var names []string
	for _, ident := range idents {
		if ident.IsExported() {
			names = append(names, ident.Name)
		}
	}
	return names
}

// function returns a function's name, for a method with its type, and whether others can call it.
func function(d *ast.FuncDecl) (name string, exported bool) {
	if d.Recv == nil {
		return d.Name.Name, d.Name.IsExported()
	}
	of := receiver(d.Recv.List[0].Type)
	return of + "." + d.Name.Name, ast.IsExported(of) && d.Name.IsExported()
}

// receiver returns the name of a method's type.
func receiver(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return receiver(expr.X)
	case *ast.IndexExpr:
		return receiver(expr.X)
	case *ast.IndexListExpr:
		return receiver(expr.X)
	case *ast.Ident:
		return expr.Name
	default:
		return ""
	}
}

func TestUndocumented(t *testing.T) {
	s := parse(t, "p.go", `package p

const A = 1

// B and C are explained together.
const (
	B = 1
	C = 2
)

var (
	D int // explained beside it
	E int
)

func F() {}

// G is explained.
func G() {}

type H struct{ Field int }

// I is explained.
type I interface {
	M()
	N() // explained beside it
}

// IJ is explained, and so is its only method.
type IJ interface{ M() }

// JOptions are explained.
type JOptions struct {
	K int
	L int // explained beside it
	m int
}

func (h *H) O() {}

func (h H) p() {}

type q[T any] struct{}

func (q[T]) R() {}

// S is explained.
type S[T, U any] struct{}

func (*S[T, U]) V() {}
`)
	want := []string{"A", "E", "F", "H", "I.M", "JOptions.K", "H.O", "S.V"}
	if got := undocumented(s.File); !slices.Equal(got, want) {
		t.Errorf("undocumented are %q, want %q", got, want)
	}
}
