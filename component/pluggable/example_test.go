package pluggable_test

import (
	"fmt"
	"strings"

	"github.com/go-poe/poe/component/pluggable"
)

// A censor changes what others say, and keeps some of it from being heard at all.
type censor struct{ pluggable.Handlers }

func newCensor() *censor {
	return &censor{pluggable.Handlers{
		"S_said": func(e *pluggable.Event) pluggable.Eat {
			text := pluggable.Arg[*string](e, 0)
			*text = strings.ReplaceAll(*text, "darn", "d***")
			if strings.Contains(*text, "buy") {
				return pluggable.EatAll
			}
			return pluggable.EatNone
		},
	}}
}

func (*censor) PluginRegister(p *pluggable.Pipeline, alias string) error {
	return p.Register(alias, "SERVER", "said")
}

func (*censor) PluginUnregister(*pluggable.Pipeline, string) {}

// A component asks its plugins before its clients hear of anything.
func Example() {
	plugins := pluggable.New(pluggable.Options{
		Prefix: "chat_",
		Types:  map[string]string{"SERVER": "S", "USER": "U"},
		Notify: func(n pluggable.Notice) { fmt.Println(n.Name, n.Alias) },
	})
	if err := plugins.Push("censor", newCensor()); err != nil {
		fmt.Println(err)
	}
	for _, text := range []string{"hello", "that darn thing", "buy this"} {
		if !plugins.Process("SERVER", "chat_said", &text) {
			fmt.Println(text)
		}
	}
	plugins.Close()
	// Output:
	// chat_plugin_add censor
	// hello
	// that d*** thing
	// chat_plugin_del censor
}
