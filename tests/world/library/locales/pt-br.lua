return { hello = "Oi, {name}!" }
