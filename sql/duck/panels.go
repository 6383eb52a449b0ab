package duck

import (
	"context"
	"errors"

	"github.com/signallake/signallake/sql"
)

var errTODO = errors.New("x")

func (e *Engine) Extent(ctx context.Context) (sql.Extent, error) { return sql.Extent{}, errTODO }
func (e *Engine) LatencyByService(ctx context.Context, r sql.Range) (*sql.LatencyByService, error) { return nil, errTODO }
func (e *Engine) LatencyOverTime(ctx context.Context, r sql.Range) (*sql.LatencyOverTime, error) { return nil, errTODO }
func (e *Engine) ErrorRate(ctx context.Context, r sql.Range) (*sql.ErrorRate, error) { return nil, errTODO }
func (e *Engine) SlowestEndpoints(ctx context.Context, r sql.Range, limit int) (*sql.SlowestEndpoints, error) { return nil, errTODO }
func (e *Engine) ErrorsByRegion(ctx context.Context, r sql.Range) (*sql.ErrorsByRegion, error) { return nil, errTODO }
func (e *Engine) Volume(ctx context.Context, r sql.Range) (*sql.Volume, error) { return nil, errTODO }
