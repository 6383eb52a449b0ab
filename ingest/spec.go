package ingest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// specJSON describes the API as OpenAPI 3.0. It is written by hand, once: GET /openapi.json sends it, GET /docs is made of it, and a test
// holds it against what the server really answers.
//
//go:embed openapi.json
var specJSON []byte

// The parts of an OpenAPI document that the documentation page shows.
type (
	spec struct {
		Info struct {
			Title       string
			Version     string
			Description string
		}
		Paths      ordered[ordered[operation]] // by path, by method in lower case
		Components struct {
			Parameters ordered[parameter]
			Responses  ordered[response]
			Schemas    ordered[schema]
		}
	}
	operation struct {
		OperationID string
		Summary     string
		Description string
		Parameters  []parameter
		RequestBody struct{ Content ordered[content] }
		Responses   ordered[response] // by status code
		Security    *[]map[string][]string
	}
	parameter struct {
		Ref         string `json:"$ref"`
		Name        string
		In          string
		Required    bool
		Description string
		Schema      schema
		Example     any
	}
	response struct {
		Ref         string `json:"$ref"`
		Description string
		Headers     ordered[struct{ Description string }]
		Content     ordered[content]
	}
	content struct { // by content type
		Schema  schema
		Example json.RawMessage
	}
	schema struct {
		Ref         string `json:"$ref"`
		Type        string
		Description string
		Required    []string
		Properties  ordered[schema]
		Items       *schema
		AnyOf       []schema
	}
)

// ordered is a JSON object whose members keep the order in which they were written.
type ordered[T any] []member[T]

type member[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON takes the members one by one.
func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.Join(err, errors.New("want an object"))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := member[T]{Name: fmt.Sprint(name)}
		if err := d.Decode(&m.Value); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		*o = append(*o, m)
	}
	return nil
}

func (o ordered[T]) find(name string) (T, bool) {
	for _, m := range o {
		if m.Name == name {
			return m.Value, true
		}
	}
	var none T
	return none, false
}

func parseSpec(text []byte) (*spec, error) {
	s := &spec{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	return s, nil
}

// refName is the last part of a reference: the name of what it points to.
func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// resolve follows a reference to a schema.
func (s *spec) resolve(v schema) schema {
	if v.Ref == "" {
		return v
	}
	target, _ := s.Components.Schemas.find(refName(v.Ref)) // that each reference has a target, a test holds
	return target
}

// field is one row of a table of fields.
type field struct {
	Name        string // rejected[].line
	Type        string
	Required    bool
	Description string
}

// fields lists what an object holds, and what its objects and the elements of its arrays hold.
func (s *spec) fields(v schema) []field { return s.addFields(nil, "", s.resolve(v)) }

func (s *spec) addFields(rows []field, prefix string, v schema) []field {
	if len(v.AnyOf) > 0 {
		v = s.resolve(v.AnyOf[0])
	}
	if v.Type == "array" && v.Items != nil {
		return s.addFields(rows, prefix+"[].", s.resolve(*v.Items))
	}
	for _, m := range v.Properties {
		p := s.resolve(m.Value)
		required := false
		for _, name := range v.Required {
			required = required || name == m.Name
		}
		rows = append(rows, field{strings.TrimPrefix(prefix, "[].") + m.Name, s.typeName(p), required, p.Description})
		switch {
		case p.Type == "array" && p.Items != nil:
			rows = s.addFields(rows, prefix+m.Name, p)
		case p.Type == "object" || len(p.Properties) > 0:
			rows = s.addFields(rows, prefix+m.Name+".", p)
		}
	}
	return rows
}

func (s *spec) typeName(v schema) string {
	switch {
	case len(v.AnyOf) > 0:
		names := make([]string, len(v.AnyOf))
		for i, one := range v.AnyOf {
			names[i] = s.typeName(s.resolve(one))
		}
		return strings.Join(names, " or ")
	case v.Type == "array" && v.Items != nil:
		return "array of " + s.typeName(s.resolve(*v.Items))
	case v.Type == "":
		return "any value"
	}
	return v.Type
}
