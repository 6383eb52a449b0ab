// Package pipeline measures every stage of the lake beside its reference: from the generator to the answer of a question. Each stage runs in
// a process of its own, so that processor time and memory are the stage's.
package pipeline
