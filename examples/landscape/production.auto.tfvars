regions = {
  north = {
    range = "10.16.0.0/14"
    zones = ["north-a", "north-b", "north-c"]
  }
  south = {
    range = "10.20.0.0/14"
    zones = ["south-a", "south-b"]
  }
}

node_groups = {
  general = { size = "4x16", count = 3 }
  batch   = { size = "8x16", count = 2 }
  edge    = { size = "2x4", count = 2 }
}

databases = {
  customers = { version = "17", replicas = 2, backup_days = 35, schema_users = ["shop", "billing", "reports"] }
  orders    = { version = "17", schema_users = ["shop", "billing"] }
  stock     = { version = "16", schema_users = ["warehouse"] }
}

services = {
  shop      = { release = "4.2.0", replicas = 3, database = "customers", public = true, settings = { THEME = "autumn" } }
  basket    = { release = "1.9.3", database = "orders" }
  billing   = { release = "2.14.1", database = "orders", settings = { CURRENCY = "EUR", ROUNDING = "half-even" } }
  warehouse = { release = "7.0.2", database = "stock" }
  search    = { release = "3.3.0", replicas = 3, public = true }
  mailer    = { release = "1.0.8", replicas = 1, settings = { SENDER = "shop@acme.example" } }
}

teams = {
  storefront = { members = ["ada", "grace", "edsger"], services = ["shop", "basket", "search"] }
  money      = { members = ["barbara", "niklaus"], services = ["billing"] }
  logistics  = { members = ["donald", "margaret"], services = ["warehouse", "mailer"] }
}
