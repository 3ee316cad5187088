# People's own packages lie on their disk, apart for each minor version of R, and come first.
local({
  version <- paste(R.version$major, sub("[.].*", "", R.version$minor), sep = ".")
  own <- path.expand(file.path("~", "R", version))
  if (dir.exists(own) || dir.create(own, recursive = TRUE, showWarnings = FALSE)) {
    .libPaths(c(own, .libPaths()))
  }
})
