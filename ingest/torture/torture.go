// Package torture starts the program's own server again and again, sends it events from several clients, kills it at random moments, and
// keeps the books of what was acknowledged.
package torture
