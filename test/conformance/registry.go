package conformance

// ports are the ports of the recorded cases by name. Register fills it before the tests run.
var ports = map[string]func(c *Case){}

// Register makes run the port of the recorded case with this name. A group's test file calls it
// from its init function. TestRecorded runs the port in a subtest and compares what it printed
// with NAME.out or, for a case whose name ends in -bug, with NAME.want: what the text of the case
// says that a port prints instead.
func Register(name string, run func(c *Case)) {
	if name == "" || run == nil {
		panic("conformance: Register needs a name and a function")
	}
	if ports[name] != nil {
		panic("conformance: case " + name + " is registered twice")
	}
	ports[name] = run
}
