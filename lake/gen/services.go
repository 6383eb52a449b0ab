package gen

// The fixed cast. Names, routes and figures are made up; they are chosen so that services differ in what a dashboard shows.

type service struct {
	name      string
	weight    int
	version   string
	upstreams []string // what its error messages blame
	notes     []string // what its good events say; # is a number
	endpoints []endpoint
}

type endpoint struct {
	method, path string
	weight       int
	medianMicros int64
	spread       int // index into spreads
	statuses     statusMix
}

// statusMix names a table of statusWeights.
type statusMix int

const (
	read statusMix = iota
	create
	remove
	login
	redirect
	mixes
)

type statusWeight struct {
	code   int
	weight int
}

// statusWeights is how often each status comes when nothing is wrong, in 1/10,000.
func statusWeights(m statusMix) []statusWeight {
	switch m {
	case create:
		return []statusWeight{{201, 9180}, {200, 300}, {400, 280}, {401, 70}, {404, 20}, {429, 60}, {500, 40}, {502, 15}, {503, 20}, {504, 15}}
	case remove:
		return []statusWeight{{204, 9530}, {400, 60}, {401, 60}, {404, 280}, {429, 10}, {500, 30}, {502, 10}, {503, 10}, {504, 10}}
	case login:
		return []statusWeight{{200, 8900}, {400, 150}, {401, 750}, {429, 150}, {500, 20}, {502, 10}, {503, 15}, {504, 5}}
	case redirect:
		return []statusWeight{{301, 8600}, {200, 1000}, {404, 350}, {429, 20}, {500, 15}, {502, 5}, {503, 5}, {504, 5}}
	}
	return []statusWeight{{200, 9590}, {301, 40}, {400, 60}, {401, 50}, {404, 170}, {429, 35}, {500, 25}, {502, 10}, {503, 12}, {504, 8}}
}

// failures is what a failing service answers, in 1/10,000.
func failures() []statusWeight {
	return []statusWeight{{500, 4000}, {502, 1500}, {503, 2700}, {504, 1800}}
}

// spreads are the sigmas of log-normal latencies: steady, ordinary, wide.
func spreads() []float64 { return []float64{0.3, 0.5, 0.85} }

const (
	steady = iota
	ordinary
	wide
)

type region struct {
	name   string
	short  string
	weight int
	factor int // of latency, percent
}

func regions() []region {
	return []region{
		{"eu-west-1", "euw1", 34, 100}, {"us-east-1", "use1", 30, 108}, {"us-west-2", "usw2", 15, 115},
		{"ap-southeast-1", "apse1", 13, 140}, {"sa-east-1", "sae1", 8, 155},
	}
}

func services() []service {
	return []service{
		{"checkout", 14, "4.18.2", []string{"payments", "inventory", "orders-db"}, []string{"order # placed", "cart priced with # items", "voucher applied to order #"}, []endpoint{
			{"POST", "/api/checkout", 5, 180_000, ordinary, create}, {"GET", "/api/cart", 9, 24_000, ordinary, read}, {"POST", "/api/cart/items", 7, 38_000, ordinary, create},
			{"DELETE", "/api/cart/items/{id}", 2, 30_000, steady, remove}, {"GET", "/api/orders/{id}", 4, 33_000, ordinary, read}}},
		{"auth", 16, "2.9.0", []string{"users-db", "session-cache"}, []string{"session opened for user #", "token refreshed, # s left"}, []endpoint{
			{"POST", "/api/login", 6, 95_000, steady, login}, {"POST", "/api/token/refresh", 10, 12_000, steady, login}, {"POST", "/api/logout", 2, 9_000, steady, remove},
			{"GET", "/api/session", 14, 6_000, ordinary, login}}},
		{"search", 18, "7.3.11", []string{"search-index", "ranking"}, []string{"query matched # documents", "index segment # served from cache"}, []endpoint{
			{"GET", "/api/search", 16, 85_000, wide, read}, {"GET", "/api/suggest", 14, 14_000, ordinary, read}, {"GET", "/api/search/facets", 5, 60_000, wide, read},
			{"POST", "/api/search/feedback", 1, 18_000, ordinary, create}}},
		{"catalog", 20, "5.0.4", []string{"catalog-db", "image-store"}, []string{"product # served", "category listing of # products"}, []endpoint{
			{"GET", "/api/products", 10, 42_000, ordinary, read}, {"GET", "/api/products/{id}", 16, 17_000, ordinary, read}, {"GET", "/api/categories", 5, 11_000, steady, read},
			{"GET", "/p/{slug}", 3, 5_000, steady, redirect}, {"PUT", "/api/products/{id}", 1, 70_000, ordinary, read}, {"GET", "/api/products/{id}/images", 6, 28_000, wide, read}}},
		{"payments", 8, "3.22.7", []string{"card-gateway", "fraud", "ledger-db"}, []string{"payment # authorised", "refund # queued"}, []endpoint{
			{"POST", "/api/payments", 8, 320_000, ordinary, create}, {"GET", "/api/payments/{id}", 5, 22_000, steady, read}, {"POST", "/api/refunds", 1, 260_000, ordinary, create},
			{"POST", "/api/payments/webhook", 4, 16_000, ordinary, create}}},
		{"shipping", 7, "1.14.3", []string{"carrier-api", "orders-db"}, []string{"label # printed", "parcel # handed over"}, []endpoint{
			{"GET", "/api/shipments/{id}", 7, 31_000, ordinary, read}, {"POST", "/api/shipments", 2, 150_000, wide, create}, {"GET", "/api/rates", 5, 120_000, wide, read},
			{"GET", "/t/{code}", 3, 4_000, steady, redirect}}},
		{"inventory", 10, "6.1.0", []string{"stock-db", "warehouse-feed"}, []string{"# units reserved", "stock of # articles synchronised"}, []endpoint{
			{"GET", "/api/stock/{sku}", 14, 8_000, ordinary, read}, {"POST", "/api/reservations", 5, 45_000, ordinary, create}, {"DELETE", "/api/reservations/{id}", 2, 27_000, steady, remove},
			{"POST", "/api/stock/sync", 1, 900_000, wide, create}}},
		{"notifications", 7, "2.2.8", []string{"mail-relay", "push-gateway"}, []string{"# messages queued", "template # rendered"}, []endpoint{
			{"POST", "/api/notify/email", 5, 65_000, ordinary, create}, {"POST", "/api/notify/push", 7, 40_000, ordinary, create}, {"GET", "/api/preferences", 4, 10_000, steady, read},
			{"PUT", "/api/preferences", 1, 25_000, steady, read}}},
		{"recommendations", 9, "0.31.5", []string{"feature-store", "model-server"}, []string{"# candidates ranked"}, []endpoint{
			{"GET", "/api/recommendations", 9, 110_000, wide, read}, {"GET", "/api/recommendations/similar", 6, 75_000, wide, read}, {"POST", "/api/events/view", 12, 7_000, steady, create},
			{"GET", "/api/trending", 3, 20_000, ordinary, read}}},
		{"profile", 8, "3.5.1", []string{"users-db", "image-store"}, []string{"profile # updated"}, []endpoint{
			{"GET", "/api/me", 14, 13_000, steady, login}, {"PATCH", "/api/me", 1, 48_000, ordinary, read}, {"GET", "/api/me/addresses", 4, 16_000, steady, read},
			{"POST", "/api/me/avatar", 1, 400_000, wide, create}}},
		{"reviews", 5, "1.8.6", []string{"reviews-db", "moderation"}, []string{"review # published"}, []endpoint{
			{"GET", "/api/products/{id}/reviews", 9, 29_000, ordinary, read}, {"POST", "/api/products/{id}/reviews", 1, 88_000, ordinary, create},
			{"POST", "/api/reviews/{id}/votes", 2, 15_000, steady, create}, {"DELETE", "/api/reviews/{id}", 1, 22_000, steady, remove}}},
		{"billing", 4, "4.0.9", []string{"ledger-db", "tax-service"}, []string{"invoice # issued"}, []endpoint{
			{"GET", "/api/invoices", 4, 58_000, ordinary, read}, {"GET", "/api/invoices/{id}/pdf", 3, 520_000, wide, read}, {"POST", "/api/invoices", 1, 210_000, ordinary, create},
			{"GET", "/api/tax/quote", 5, 34_000, ordinary, read}}},
		{"gateway", 12, "9.4.2", []string{"catalog", "auth", "search"}, []string{"route table reloaded, # routes"}, []endpoint{
			{"GET", "/", 8, 3_000, steady, redirect}, {"GET", "/health", 6, 900, steady, read}, {"GET", "/assets/{file}", 16, 2_200, wide, read}, {"GET", "/api/config", 4, 5_500, steady, read}}},
		{"media", 6, "2.0.13", []string{"object-store", "transcoder"}, []string{"# bytes streamed"}, []endpoint{
			{"GET", "/media/{id}", 12, 55_000, wide, read}, {"POST", "/media", 1, 1_400_000, wide, create}, {"GET", "/media/{id}/thumbnail", 10, 21_000, ordinary, read},
			{"DELETE", "/media/{id}", 1, 32_000, steady, remove}}},
		{"fraud", 4, "1.1.27", []string{"model-server", "rules-db"}, []string{"score # computed"}, []endpoint{
			{"POST", "/api/score", 9, 48_000, ordinary, create}, {"GET", "/api/cases", 2, 66_000, ordinary, read}, {"GET", "/api/cases/{id}", 2, 27_000, steady, read},
			{"POST", "/api/cases/{id}/verdict", 1, 39_000, steady, create}}},
		{"reporting", 2, "0.9.4", []string{"warehouse", "object-store"}, []string{"report # built"}, []endpoint{
			{"GET", "/api/reports", 4, 130_000, wide, read}, {"POST", "/api/reports", 1, 2_600_000, wide, create}, {"GET", "/api/reports/{id}", 3, 240_000, wide, read},
			{"DELETE", "/api/reports/{id}", 1, 36_000, steady, remove}}},
	}
}
